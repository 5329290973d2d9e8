/** A file system mounted for a test, in a directory of its own, gone after it. */
import { mkdtemp, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Handlers } from '../../../src/fuse/handlers.ts';
import { mountFuse, type FuseMount, type MountFuseOptions } from '../../../src/fuse/mount.ts';
import type { SessionOptions } from '../../../src/fuse/session.ts';

export interface ReportedError {
  readonly error: unknown;
  readonly name: string;
}

export interface TestMountOptions extends Partial<Omit<MountFuseOptions, 'handlers' | 'session'>> {
  readonly session?: Omit<SessionOptions, 'onError'>;
}

export class TestMount implements AsyncDisposable {
  readonly mount: FuseMount;
  /** What the session reported; a test that expects something takes it out. */
  readonly errors: ReportedError[];

  private constructor(mount: FuseMount, errors: ReportedError[]) {
    this.mount = mount;
    this.errors = errors;
  }

  static async create(handlers: Handlers, options: TestMountOptions = {}): Promise<TestMount> {
    const errors: ReportedError[] = [];
    const mount = await mountFuse({
      mountpoint: await mkdtemp(join(tmpdir(), 's3ql-fuse-')),
      source: 'local:///some, place/',
      subtype: 's3ql',
      allowOther: true,
      defaultPermissions: true,
      noSuid: true,
      noDev: true,
      ...options,
      handlers,
      session: { ...options.session, onError: (error, name) => errors.push({ error, name }) },
    });
    return new TestMount(mount, errors);
  }

  path(...names: readonly string[]): string {
    return join(this.mount.mountpoint, ...names);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.mount.unmount({ lazy: true });
    await this.mount.ended.catch((error: NodeJS.ErrnoException) => {
      // Some tests abort the connection.
      if (error.code !== 'ECONNABORTED') throw error;
    });
    await rmdir(this.mount.mountpoint);
    if (this.errors.length > 0) throw new AggregateError(this.errors, 'The session reported errors');
  }
}
