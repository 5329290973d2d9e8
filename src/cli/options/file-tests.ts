/** Tests on files, as `s3ql find` takes them. */

/** File types as `find -type` has them. */
export type FileTypeLetter = 'f' | 'd' | 'l' | 'p' | 's' | 'b' | 'c';

/** Compared with the size in `unitBytes`, rounded up, as find(1) does. */
export interface SizeTest {
  readonly compare: 'more' | 'less' | 'equal';
  readonly count: bigint;
  readonly unitBytes: bigint;
}
