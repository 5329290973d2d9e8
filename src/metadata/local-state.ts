/** Where the metadata of a file system lies on this machine, and its local superblock. */
import { readFile } from 'node:fs/promises';
import { replaceFile } from '../util/replace-file.ts';
import { parseSuperblock, type Superblock, writeSuperblock } from './superblock.ts';

export interface LocalPaths {
  /** The SQLite database, beside which SQLite keeps `-wal` and `-shm`. */
  readonly databasePath: string;
  /** The superblock this machine last wrote. */
  readonly paramsPath: string;
  /** Digests of the pieces as the store has them. */
  readonly piecesPath: string;
}

/** The superblock this machine last wrote, undefined if there is none. @throws UserError as parseSuperblock */
export async function readLocalSuperblock(paths: LocalPaths): Promise<Superblock | undefined> {
  const text = await readFile(paths.paramsPath).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  });
  return text && parseSuperblock(text, paths.paramsPath);
}

/** Durable when it resolves; after a crash there is the old one or the new one. */
export async function writeLocalSuperblock(paths: LocalPaths, superblock: Superblock): Promise<void> {
  await replaceFile(paths.paramsPath, writeSuperblock(superblock));
}
