import { expect, test } from 'vitest';
import { FakeTransport } from '../../tests/support/fuse/fake-transport.ts';
import { init, request, text } from '../../tests/support/fuse/requests.ts';
import { featureBits } from './abi/init-flags.ts';
import { Opcode } from './abi/opcodes.ts';
import type { Handlers } from './handlers.ts';
import type { NegotiationOptions } from './negotiation.ts';
import { Session } from './session.ts';

function start(
  options: NegotiationOptions = {},
  handlers: Handlers = {},
): { transport: FakeTransport; session: Session; errors: unknown[] } {
  const transport = new FakeTransport();
  const errors: unknown[] = [];
  const session = new Session(transport, handlers, { ...options, onError: (error) => errors.push(error) });
  session.start();
  return { transport, session, errors };
}

function bit(body: Buffer, feature: keyof typeof featureBits): boolean {
  const number = featureBits[feature];
  return ((body.readUInt32LE(number < 32 ? 12 : 32) >>> (number % 32)) & 1) === 1;
}

test('INIT is answered with version, sizes and limits', async () => {
  const { transport, session } = start();
  const { body, error } = transport.ask(init());
  expect([error, body.length]).toEqual([0, 64]);
  expect([body.readUInt32LE(0), body.readUInt32LE(4)]).toEqual([7, 45]);
  expect(body.readUInt32LE(8)).toBe(131_072);
  expect([body.readUInt16LE(16), body.readUInt16LE(18)]).toEqual([64, 48]);
  expect([body.readUInt32LE(20), body.readUInt32LE(24), body.readUInt16LE(28)]).toEqual([1024 * 1024, 1, 256]);
  expect(await session.initialized).toMatchObject({ minor: 45, kernelMinor: 45, maxWriteBytes: 1024 * 1024, maxReadaheadBytes: 131_072 });
});

test('features are asked for by name, and those alone', async () => {
  const { transport, session } = start(
    {
      features: { atomicTruncate: true, passthrough: true, cacheSymlinks: false, handleKillPrivilegesV2: true, posixAcl: true },
      maxStackDepth: 2,
    },
    { setlk: () => {} },
  );
  const { body } = transport.ask(init());
  const asked = (Object.keys(featureBits) as (keyof typeof featureBits)[]).filter((feature) => bit(body, feature)).sort();
  expect(asked).toEqual([
    'abortError',
    'asyncDirectIo',
    'asyncRead',
    'atomicTruncate',
    'bigWrites',
    'handleKillPrivilegesV2',
    'initExtended',
    'maxPages',
    'parallelDirectoryOperations',
    'passthrough',
    'posixAcl',
    'setxattrExtended',
  ]);
  expect(body.readUInt32LE(36)).toBe(2);
  expect((await session.initialized).features).toMatchObject({ passthrough: true, cacheSymlinks: false, posixLocks: false, noOpen: true });
});

test('features that the kernel lacks or no handler serves are not in force', async () => {
  const wanted = { features: { posixLocks: true, flockLocks: true, passthrough: true } };
  const { transport, session } = start(wanted);
  const { body } = transport.ask(init({ flags: 0x4000_0000 | 0x22, flags2: 0 }));
  expect(body.readUInt32LE(12)).toBe(0x4000_0020);
  expect((await session.initialized).features).toMatchObject({
    posixLocks: false,
    passthrough: false,
    readdirplus: false,
    bigWrites: true,
  });
  const withLocks = start(wanted, { setlk: () => {}, readdirplus: () => {} });
  withLocks.transport.ask(init());
  expect((await withLocks.session.initialized).features).toMatchObject({ posixLocks: true, flockLocks: true, readdirplus: true });
});

test('flags2 of a kernel without the extended form is not looked at', async () => {
  const { transport, session } = start({ features: { passthrough: true } });
  transport.ask(init({ flags: 0x20, flags2: 0xffff_ffff }));
  expect((await session.initialized).features.passthrough).toBe(false);
});

test('a kernel that can not negotiate pages gets 32 of them', async () => {
  const { transport, session } = start();
  const { body } = transport.ask(init({ flags: 0x20 }));
  expect([body.readUInt32LE(20), body.readUInt16LE(28)]).toEqual([131_072, 0]);
  expect((await session.initialized).maxWriteBytes).toBe(131_072);
});

test('the lower minor version counts', async () => {
  const { transport, session } = start();
  expect(transport.ask(init({ minor: 38 })).body.readUInt32LE(4)).toBe(38);
  expect(await session.initialized).toMatchObject({ minor: 38, kernelMinor: 38 });
  const newer = start();
  expect(newer.transport.ask(init({ minor: 99 })).body.readUInt32LE(4)).toBe(45);
});

test('a kernel of a newer major version is told ours and asked again', async () => {
  const { transport, session } = start();
  const { body } = transport.ask(init({ major: 8 }));
  expect([body.length, body.readUInt32LE(0), body.readUInt32LE(4)]).toEqual([8, 7, 45]);
  transport.ask(init());
  expect(await session.initialized).toMatchObject({ minor: 45 });
});

test('a kernel that is too old is refused, with a message that says so', async () => {
  for (const offer of [{ major: 6 }, { minor: 30 }]) {
    const { transport, session } = start();
    expect(transport.ask(init(offer)).error).toBe(-71);
    await expect(session.initialized).rejects.toThrow(/oldest supported/);
  }
});

test('requests before INIT, and a second INIT, are refused', () => {
  const { transport, errors } = start({}, { lookup: () => Promise.reject(new Error('called')) });
  expect(transport.ask(request(Opcode.LOOKUP, {}, text('x'))).error).toBe(-5);
  expect(transport.ask(init()).error).toBe(0);
  expect(transport.ask(init()).error).toBe(-38);
  expect(errors).toHaveLength(1);
});

test('options that can not be are refused at once', () => {
  for (const options of [
    { maxWriteBytes: 1000 },
    { maxWriteBytes: 4096 * 65_536 },
    { maxBackground: 0 },
    { maxStackDepth: 3 },
    { features: { passthrough: true, writebackCache: true } },
    { features: { exportSupport: true, noExportSupport: true } },
  ]) {
    expect(() => start(options)).toThrow(RangeError);
  }
});
