/**
 * Extended attributes of files, which Node cannot read or write, by koffi. Sources: getxattr(2), setxattr(2).
 * Calls run on libuv's thread pool: on a mount they wait for the process that serves it.
 */
import koffi from 'koffi';
import { SystemCallError } from './system-call-error.ts';

type AsyncCall = (...args: [...(string | Uint8Array | number)[], (error: Error | null, result: number) => void]) => void;

const libc = koffi.load(null);
const getxattrCall = libc.func('int64_t getxattr(const char *, const char *, void *, size_t)').async as AsyncCall;
const setxattrCall = libc.func('int setxattr(const char *, const char *, const void *, size_t, int)').async as AsyncCall;

/** Reads an attribute of at most `maximumSizeBytes`. @throws SystemCallError, ERANGE if it is larger */
export async function getXattr(path: string, name: string, maximumSizeBytes: number): Promise<Buffer> {
  const value = Buffer.alloc(maximumSizeBytes);
  const length = await call('getxattr', getxattrCall, path, name, value, value.length);
  return value.subarray(0, length);
}

/** Creates or replaces an attribute. @throws SystemCallError */
export async function setXattr(path: string, name: string, value: Uint8Array): Promise<void> {
  await call('setxattr', setxattrCall, path, name, value, value.length, 0);
}

function call(name: string, function_: AsyncCall, ...args: readonly (string | Uint8Array | number)[]): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  function_(...args, (error, result) => {
    // koffi restores the pool thread's errno for the length of this callback.
    if (error !== null) reject(error);
    else if (result < 0) reject(new SystemCallError(name, koffi.errno()));
    else resolve(result);
  });
  return promise;
}
