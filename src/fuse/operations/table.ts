/** Which operation serves which request, for a file system with these handlers. */
import { MAX_OPCODE, Opcode } from '../abi/opcodes.ts';
import type { Handlers } from '../handlers.ts';
import { attributeOperations } from './attribute-operations.ts';
import { directoryOperations } from './directory-operations.ts';
import { fileOperations } from './file-operations.ts';
import { lockOperations } from './lock-operations.ts';
import { namespaceOperations } from './namespace-operations.ts';
import type { Operation } from './operation.ts';
import { setxattrExtended, xattrOperations } from './xattr-operations.ts';

/** By opcode; requests without an operation are refused with ENOSYS. */
export function operationTable(handlers: Handlers, extendedSetxattr: boolean): readonly (Operation | undefined)[] {
  const table: (Operation | undefined)[] = Array.from({ length: MAX_OPCODE + 1 });
  for (const [opcode, operation] of [
    ...namespaceOperations,
    ...attributeOperations,
    ...fileOperations,
    ...directoryOperations,
    ...xattrOperations,
    ...lockOperations,
  ]) {
    if (handlers[operation.handler] !== undefined) table[opcode] = operation;
  }
  if (extendedSetxattr && handlers.setxattr !== undefined) table[Opcode.SETXATTR] = setxattrExtended;
  return table;
}
