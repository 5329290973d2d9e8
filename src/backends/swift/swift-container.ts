/** Whether the container is there. */
import { NoSuchContainerError } from '../errors.ts';
import { isSuccess } from '../http/http-status.ts';
import type { SwiftConnection } from './swift-connection.ts';
import { swiftError } from './swift-errors.ts';

/** @throws NoSuchContainerError, PermissionError */
export async function expectContainer(connection: SwiftConnection, container: string): Promise<void> {
  const response = await connection.send({ method: 'HEAD', container });
  if (response.status === 404) throw noSuchContainer(connection, container);
  if (!isSuccess(response.status)) throw swiftError(response, connection.host);
}

export function noSuchContainer(connection: SwiftConnection, container: string): NoSuchContainerError {
  return new NoSuchContainerError(`container ${container} does not exist at ${connection.host}; create it first`);
}
