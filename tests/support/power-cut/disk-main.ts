/** A process with a disk whose power is cut when its parent says so. */
import { mountFuse, type FuseMount } from '../../../src/fuse/mount.ts';
import { Random } from '../random.ts';
import { VolatileDisk } from './volatile-disk.ts';

export type DiskCommand =
  | { readonly do: 'mount'; readonly mountpoint: string }
  /** Everything fails from now on. */
  | { readonly do: 'cut' }
  /** Mounted again with what is on the disk; `seed` decides about what was not synced. */
  | { readonly do: 'power'; readonly mountpoint: string; readonly seed: number }
  | { readonly do: 'unmount' };

export interface DiskAnswer {
  readonly done: DiskCommand['do'];
  readonly error?: string;
}

let disk = new VolatileDisk();
let mount: FuseMount | undefined;

async function serve(mountpoint: string): Promise<void> {
  mount = await mountFuse({
    mountpoint,
    source: 'volatile-disk',
    subtype: 'volatile',
    handlers: disk,
    session: { onError: (error, name) => process.stderr.write(`disk: ${name}: ${String(error)}\n`) },
  });
}

async function unmount(): Promise<void> {
  const mounted = mount;
  mount = undefined;
  await mounted?.unmount({ lazy: true });
  // However it ended: what counts is on the disk.
  await mounted?.ended.catch(() => undefined);
}

async function obey(command: DiskCommand): Promise<void> {
  switch (command.do) {
    case 'mount':
      return serve(command.mountpoint);
    case 'cut':
      return disk.cut();
    case 'power':
      await unmount();
      disk = disk.afterCut(new Random(command.seed));
      return serve(command.mountpoint);
    case 'unmount':
      return unmount();
    default:
      throw new Error('unknown command');
  }
}

process.on('message', (command: DiskCommand) => {
  obey(command)
    .then(() => ({ done: command.do }))
    .catch((error: unknown) => ({ done: command.do, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }))
    .then((answer: DiskAnswer) => process.send?.(answer))
    .catch(() => process.exit(70));
});
process.on('disconnect', () => {
  unmount()
    .catch(() => undefined)
    .finally(() => process.exit(0));
});
