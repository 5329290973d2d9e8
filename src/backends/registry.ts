/** Every kind of store this program knows, by URL scheme. A new store is one more line here. */
import type { BackendFactory } from './backend-factory.ts';
import { azureFactory } from './azure/azure-factory.ts';
import { gsFactory } from './gs/gs-factory.ts';
import { localFactory } from './local/local-factory.ts';
import { sftpFactory } from './sftp/sftp-factory.ts';
import { rackspaceFactory, swiftFactory, swiftksFactory } from './swift/swift-factories.ts';
import { webdavFactory } from './webdav/webdav-factory.ts';
import { b2Factory, s3Factory, s3c4Factory, s3cFactory } from './s3/s3-factories.ts';

const factories: readonly BackendFactory[] = [
  localFactory,
  s3Factory,
  s3cFactory,
  s3c4Factory,
  b2Factory,
  gsFactory,
  swiftFactory,
  swiftksFactory,
  rackspaceFactory,
  azureFactory,
  sftpFactory,
  webdavFactory,
];

export const backendFactories: ReadonlyMap<string, BackendFactory> = new Map(factories.map((factory) => [factory.scheme, factory]));
