/** How the kernel is asked to mount: options and features of FUSE that follow from the user's options. */
import type { KernelMountFlag, MountOptions } from '../cli/options/mount.ts';
import type { AtimePolicy } from '../filesystem/context.ts';
import type { KernelMountOptions } from '../fuse/kernel-mount.ts';
import type { Features } from '../fuse/negotiation.ts';

export function kernelMountOptions(options: MountOptions, source: string): KernelMountOptions {
  const flags = new Set<KernelMountFlag>();
  for (const flag of options.kernelFlags) {
    flags.delete(opposite(flag));
    flags.add(flag);
  }
  return {
    mountpoint: options.mountpoint,
    source: options.fsName ?? source,
    subtype: 's3ql',
    allowOther: options.allowOther || options.allowRoot,
    defaultPermissions: checksPermissions(options),
    // As with every FUSE mount, set-user-id programs and devices count only if somebody says so.
    noSuid: !flags.has('suid'),
    noDev: !flags.has('dev'),
    noExec: flags.has('noexec'),
    noDirAtime: flags.has('nodiratime'),
  };
}

export function atimePolicy({ kernelFlags }: MountOptions): AtimePolicy {
  const last = kernelFlags.findLast((flag) => /^(no|rel|strict|norel|nostrict)?atime$/.test(flag));
  if (last === 'noatime') return 'noatime';
  return last === 'strictatime' || last === 'norelatime' ? 'strictatime' : 'relatime';
}

export function directoryAtimePolicy(options: MountOptions): AtimePolicy {
  const last = options.kernelFlags.findLast((flag) => /^(no)?diratime$/.test(flag));
  return last === 'nodiratime' ? 'noatime' : atimePolicy(options);
}

export function fuseFeatures(options: MountOptions): Features {
  return {
    atomicTruncate: true,
    handleKillPrivilegesV2: true,
    exportSupport: true,
    dontMask: true,
    // The kernel checks permissions wherever it checks ACLs, so without either of the two nobody but root could use what others own.
    posixAcl: checksPermissions(options) || process.getuid?.() === 0,
    explicitInvalidateData: true,
  };
}

/** As S3QL: whoever mounts for himself alone may do everything; as soon as others come in the kernel checks. */
function checksPermissions({ allowOther, allowRoot }: MountOptions): boolean {
  return allowOther || allowRoot;
}

function opposite(flag: KernelMountFlag): KernelMountFlag {
  return (flag.startsWith('no') ? flag.slice(2) : `no${flag}`) as KernelMountFlag;
}
