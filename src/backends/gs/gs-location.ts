/** `gs://<bucket>[/<prefix>]` */
import { UserError } from '../../util/errors.ts';

export interface GsLocation {
  readonly bucket: string;
  /** Precedes every key. */
  readonly prefix: string;
}

/** @throws UserError with exit code 2 */
export function parseGsUrl(url: string): GsLocation {
  const [, bucket = '', prefix = ''] = /^gs:\/\/([^/]+)(?:\/(.*))?$/.exec(url) ?? [];
  if (!/^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/.test(bucket)) {
    throw new UserError(
      `Invalid storage URL "${url}": it must look like gs://<bucket>/<prefix>; a bucket's name has lower-case letters, digits, "-", "_" and ".".`,
      2,
    );
  }
  return { bucket, prefix };
}
