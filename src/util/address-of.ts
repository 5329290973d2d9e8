/** Addresses of buffers for C functions that find them in structures, where koffi does not see them. */
import koffi from 'koffi';

/**
 * The address of a buffer's first byte. The buffer stays where it is until the current job of the event loop ends, even if nothing in the program
 * uses it any more: the collector would otherwise be free to take it as soon as its address is all that is left of it, C function or not.
 * (Making or reading a WeakRef keeps its target alive for the rest of the job: ECMA-262, 9.10.3.)
 */
export function addressOf(buffer: Uint8Array | BigUint64Array | Int32Array): bigint {
  return koffi.address(new WeakRef(buffer).deref() ?? buffer);
}
