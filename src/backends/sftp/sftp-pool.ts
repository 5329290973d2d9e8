/** A few SSH connections, opened when there is work for them and replaced when they break. Work goes to the one with the least. */
import type { SftpSession } from './sftp-session.ts';
import type { SshConnection } from './ssh-process.ts';

/** More would not make a disk faster, and servers limit them. */
const MAX_SSH_CONNECTIONS = 4;

interface Slot {
  connection: Promise<SshConnection> | undefined;
  users: number;
}

export class SftpPool implements AsyncDisposable {
  readonly #connect: () => Promise<SshConnection>;
  readonly #slots: readonly Slot[];

  /** @param maxConnections of the user's choice */
  constructor(connect: () => Promise<SshConnection>, maxConnections: number) {
    this.#connect = connect;
    const count = Math.max(1, Math.min(maxConnections, MAX_SSH_CONNECTIONS));
    this.#slots = Array.from({ length: count }, () => ({ connection: undefined, users: 0 }));
  }

  /** Runs the work with a session that works, or fails as connecting does. */
  async use<T>(work: (session: SftpSession) => Promise<T>): Promise<T> {
    const slot = this.#leastBusy();
    slot.users += 1;
    try {
      const { session } = await this.#connectionOf(slot);
      return await work(session);
    } finally {
      slot.users -= 1;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const open = this.#slots.flatMap(({ connection }) => (connection === undefined ? [] : [connection]));
    await Promise.all(open.map((connection) => connection.then((ssh) => ssh[Symbol.asyncDispose](), ignore)));
  }

  /** An idle connection if there is one, else one more, else the one with the fewest users. */
  #leastBusy(): Slot {
    const [first, ...others] = this.#slots.toSorted(
      (a, b) => a.users - b.users || Number(a.connection === undefined) - Number(b.connection === undefined),
    );
    if (first === undefined) throw new Error(`a pool without slots (${others.length})`);
    return first;
  }

  async #connectionOf(slot: Slot): Promise<SshConnection> {
    if (slot.connection !== undefined) {
      const current = await slot.connection;
      if (!current.session.failed) return current;
      // Another user of the slot may have replaced it meanwhile.
      if ((await slot.connection) === current) {
        slot.connection = undefined;
        await current[Symbol.asyncDispose]();
      }
    }
    if (slot.connection === undefined) {
      const connecting = this.#connect();
      slot.connection = connecting;
      connecting.catch(() => {
        if (slot.connection === connecting) slot.connection = undefined;
      });
    }
    return slot.connection;
  }
}

function ignore(): void {
  // It never opened.
}
