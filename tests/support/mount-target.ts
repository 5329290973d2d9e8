/** A mount of ours as a target of tests that run on any directory. */
import { MountedFileSystem, type MountOptions } from './mounted-file-system.ts';
import type { Capability, Target } from './target.ts';

const CAPABILITIES: ReadonlySet<Capability> = new Set<Capability>(['devices', 'large-xattrs', 'huge-files', 'times-to-2262']);

export interface MountTarget extends Target {
  readonly fileSystem: MountedFileSystem;
  remount(): Promise<void>;
  dropCaches(): Promise<void>;
  brokenInvariants(): Promise<string[]>;
}

/** Makes a file system and mounts it as a plain directory is: with all users allowed, devices and set-user-id programs. */
export async function mountTarget(options: MountOptions = {}): Promise<MountTarget> {
  const fileSystem = await MountedFileSystem.create({ ...options, mountArguments: ['-o', 'suid,dev', ...(options.mountArguments ?? [])] });
  return {
    name: 'a mount',
    path: fileSystem.mountpoint,
    capabilities: CAPABILITIES,
    fileSystem,
    remount: () => fileSystem.remount(),
    dropCaches: () => fileSystem.dropCache(),
    async brokenInvariants(): Promise<string[]> {
      const broken = await fileSystem.brokenInvariants();
      await fileSystem.mount();
      return broken;
    },
    [Symbol.asyncDispose]: () => fileSystem[Symbol.asyncDispose](),
  };
}
