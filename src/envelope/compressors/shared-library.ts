/** C libraries by koffi, loaded when first needed. */
import koffi from 'koffi';
import type { LibraryHandle } from 'koffi';
import { UserError } from '../../util/errors.ts';

type Argument = number | bigint | Uint8Array | BigUint64Array | Uint32Array | null;

/** A C function that takes and returns numbers and pointers. */
export type NativeFunction = (...args: readonly Argument[]) => number | bigint;

/** @throws UserError if this machine lacks the library */
export function loadLibrary(fileName: string, debianPackage: string): LibraryHandle {
  try {
    return koffi.load(fileName);
  } catch (cause) {
    throw new UserError(`${fileName} is missing; install it (Debian: apt install ${debianPackage}).`, 1, { cause });
  }
}

/** The function's result once computed. */
export function lazy<T>(compute: () => T): () => T {
  let value: { readonly computed: T } | undefined;
  return () => (value ??= { computed: compute() }).computed;
}
