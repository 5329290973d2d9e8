/** Requests on open directories. */
import { Opcode } from '../abi/opcodes.ts';
import { DirectoryListing } from '../directory-listing.ts';
import type { ReplyBuffer } from '../reply-buffer.ts';
import type { Request } from '../request.ts';
import { encodeOpen } from './file-operations.ts';
import { encodeNothing, operation, type Operation } from './operation.ts';

/** struct fuse_read_in: begins a listing, which `encodeListing` ends. */
function list(plus: boolean): Operation<void>['run'] {
  return (handlers, request, message, reply) => {
    message.require(40);
    const listing = new DirectoryListing(reply, message.uint32(16));
    request.listing = listing;
    const handle = message.safeUint64(0);
    const offset = message.uint64(8);
    const result = plus
      ? handlers.readdirplus(request, message.nodeId, handle, offset, listing)
      : handlers.readdir(request, message.nodeId, handle, offset, listing);
    if (result instanceof Promise) listing.detach();
    return result;
  };
}

function encodeListing(reply: ReplyBuffer, _result: void, request: Request): number {
  if (request.listing === undefined) throw new TypeError('Listing lost');
  return request.listing.finish(reply);
}

export const directoryOperations: readonly (readonly [number, Operation])[] = [
  [
    Opcode.OPENDIR,
    operation({
      handler: 'opendir',
      run: (handlers, request, message) => handlers.opendir(request, message.nodeId, message.uint32(0)),
      encode: encodeOpen,
    }),
  ],
  [
    Opcode.READDIR,
    operation({
      handler: 'readdir',
      run: list(false),
      encode: encodeListing,
    }),
  ],
  [
    Opcode.READDIRPLUS,
    operation({
      handler: 'readdirplus',
      run: list(true),
      encode: encodeListing,
    }),
  ],
  [
    Opcode.RELEASEDIR,
    operation({
      handler: 'releasedir',
      run: (handlers, _request, message) => handlers.releasedir(message.nodeId, message.safeUint64(0)),
      encode: encodeNothing,
    }),
  ],
];
