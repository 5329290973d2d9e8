/** Handlers that record how they are called and answer with what the test put in. */
import type { Handlers } from '../../../src/fuse/handlers.ts';

export type HandlerName = keyof Handlers;

export interface Call {
  readonly name: HandlerName;
  /** Without the context; bytes are copied, as they are valid only for the call. */
  readonly args: readonly unknown[];
  readonly uid: number | undefined;
}

const withoutContext: ReadonlySet<HandlerName> = new Set<HandlerName>(['forget', 'release', 'releasedir', 'destroy']);

const names: readonly HandlerName[] = [
  'lookup',
  'forget',
  'getattr',
  'setattr',
  'readlink',
  'symlink',
  'mknod',
  'mkdir',
  'unlink',
  'rmdir',
  'rename',
  'link',
  'open',
  'create',
  'tmpfile',
  'read',
  'write',
  'flush',
  'release',
  'fsync',
  'opendir',
  'readdir',
  'readdirplus',
  'releasedir',
  'fsyncdir',
  'statfs',
  'setxattr',
  'getxattr',
  'listxattr',
  'removexattr',
  'access',
  'getlk',
  'setlk',
  'fallocate',
  'lseek',
  'copyFileRange',
  'ioctl',
  'statx',
  'syncfs',
  'destroy',
];

/** All handlers; `answer` makes the results. */
export function recordingHandlers(calls: Call[], answer: (name: HandlerName, args: readonly unknown[]) => unknown): Required<Handlers> {
  const handlers: Record<string, unknown> = {};
  for (const name of names) {
    handlers[name] = (...args: readonly unknown[]) => {
      const [first, ...rest] = args;
      const hasContext = !withoutContext.has(name);
      calls.push({
        name,
        args: (hasContext ? rest : args).map((arg) => (arg instanceof Uint8Array ? Buffer.from(arg).toString('latin1') : arg)),
        uid: hasContext ? (first as { uid: number }).uid : undefined,
      });
      return answer(name, args);
    };
  }
  return handlers as unknown as Required<Handlers>;
}
