/** For commands that need a file system unmounted: what a crash left of its last use on this machine, be it the same command, is recovered first. */
import type { Interaction } from '../util/interaction.ts';
import { chooseMetadata } from './choose-metadata.ts';
import { LocalDirectory } from './local-directory.ts';
import { type CommandRequest, openForCommand } from './open-for-command.ts';
import { openStore } from './open-store.ts';
import { SuperblockKeeper } from './superblock-keeper.ts';

/** Afterwards all that this machine had is in the store, as after an unmount. Does nothing if the last use ended well. @throws as openFileSystem */
export async function recoverLastUse(request: CommandRequest, program: string, interaction: Interaction): Promise<void> {
  if (!(await hasCrashed(request, interaction))) return;
  await using opened = await openForCommand(request, program, interaction);
  await opened.finish(interaction.progress);
}

async function hasCrashed({ storage, compress }: CommandRequest, interaction: Interaction): Promise<boolean> {
  using local = new LocalDirectory(storage.cachedir, storage.backend.url);
  const { objects, superblock } = await openStore(storage, compress, interaction);
  await using _objects = objects;
  const copies = await new SuperblockKeeper(local, objects, compress).read();
  const choice = chooseMetadata(copies, superblock);
  return 'use' in choice && choice.use === 'recovered-local';
}
