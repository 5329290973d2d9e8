/** Where the metadata of a file system lies on this machine, and its local superblock. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceFile } from '../util/replace-file.ts';
import { parseSuperblock, type Superblock, writeSuperblock } from './superblock.ts';

export interface LocalPaths {
  readonly database: string;
  /** The superblock this machine last wrote. */
  readonly superblock: string;
  /** Digests of the pieces as the store has them. */
  readonly pieces: string;
}

export function localPaths(directory: string): LocalPaths {
  return { database: join(directory, 'metadata.db'), superblock: join(directory, 'params'), pieces: join(directory, 'pieces') };
}

/** The superblock this machine last wrote, undefined if there is none. @throws UserError as parseSuperblock */
export async function readLocalSuperblock(paths: LocalPaths): Promise<Superblock | undefined> {
  const text = await readFile(paths.superblock).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  });
  return text && parseSuperblock(text, paths.superblock);
}

/** Durable when it resolves; after a crash there is the old one or the new one. */
export async function writeLocalSuperblock(paths: LocalPaths, superblock: Superblock): Promise<void> {
  await replaceFile(paths.superblock, writeSuperblock(superblock));
}
