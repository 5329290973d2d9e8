import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { PacketReader, PacketSplitter, PacketWriter, SftpProtocolError } from './packets.ts';

test('packets are cut out of a stream however its chunks fall', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 50 })), fc.array(fc.integer({ min: 1, max: 40 })), (packets, cuts) => {
      const stream = Buffer.concat(packets.flatMap((packet) => new PacketWriter().string(packet).finish().slice(1)));
      const splitter = new PacketSplitter();
      const found: Buffer[] = [];
      let at = 0;
      for (const cut of cuts) {
        found.push(...splitter.push(stream.subarray(at, at + cut)));
        at += cut;
      }
      found.push(...splitter.push(stream.subarray(at)));
      expect(found.map((packet) => packet.toString('hex'))).toEqual(packets.map((packet) => Buffer.from(packet).toString('hex')));
    }),
  );
});

test('a length that no packet has ends the stream', () => {
  for (const header of ['00000000', '7fffffff', '53534820']) {
    expect(() => new PacketSplitter().push(Buffer.from(header, 'hex'))).toThrow(SftpProtocolError);
  }
});

test('fields come back as they were written', () => {
  const [length, ...fields] = new PacketWriter()
    .byte(7)
    .uint32(0xffff_fffe)
    .uint64(2 ** 53 - 1)
    .string('é')
    .string(Buffer.of(0, 255))
    .finish();
  const bytes = Buffer.concat(fields);
  expect(length).toEqual(Buffer.from([0, 0, 0, bytes.byteLength]));
  const reader = new PacketReader(bytes);
  expect([reader.byte(), reader.uint32(), reader.uint64(), reader.text(), [...reader.string()], reader.done]).toEqual([
    7,
    0xffff_fffe,
    2 ** 53 - 1,
    'é',
    [0, 255],
    true,
  ]);
});

test('a packet that ends too early, and a number beyond 2^53, break the protocol', () => {
  expect(() => new PacketReader(Buffer.from([0, 0, 0])).uint32()).toThrow(SftpProtocolError);
  expect(() => new PacketReader(Buffer.from([0, 0, 0, 9, 1])).string()).toThrow(SftpProtocolError);
  expect(() => new PacketReader(Buffer.alloc(8, 0xff)).uint64()).toThrow(SftpProtocolError);
});
