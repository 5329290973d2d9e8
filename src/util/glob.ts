/** Shell patterns on file names, by the C library. Source: fnmatch(3), glob(7). */
import koffi from 'koffi';

const LC_CTYPE = 0;
const FNM_CASEFOLD = 16;

const libc = koffi.load(null);
const fnmatchCall = libc.func('int fnmatch(const void *, const void *, int)') as (
  pattern: Uint8Array,
  name: Uint8Array,
  flags: number,
) => number;
const setlocaleCall = libc.func('const char *setlocale(int, const char *)') as (category: number, locale: string) => string | null;

/** A function that says whether a name matches the pattern: `*`, `?`, `[a-z]`, in characters of UTF-8. */
export function globMatcher(
  pattern: string,
  { ignoreCase = false }: { readonly ignoreCase?: boolean } = {},
): (name: Uint8Array) => boolean {
  setlocaleCall(LC_CTYPE, 'C.UTF-8');
  const patternText = Buffer.from(`${pattern}\0`);
  const flags = ignoreCase ? FNM_CASEFOLD : 0;
  return (name) => fnmatchCall(patternText, Buffer.concat([name, Buffer.alloc(1)]), flags) === 0;
}
