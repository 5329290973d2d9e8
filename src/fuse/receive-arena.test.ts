import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { ReceiveArena } from './receive-arena.ts';

test('without pins every request lies at the same place', () => {
  const arena = new ReceiveArena(8192);
  const { place } = arena;
  arena.unpin(arena.pin(100));
  expect([arena.offset, arena.place.byteOffset]).toEqual([0, place.byteOffset]);
});

test('pinned bytes stay as they are until they are let go, and there is always room for the largest request', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer({ min: 1, max: 8192 }), fc.boolean(), fc.nat()), { maxLength: 60 }), (steps) => {
      const arena = new ReceiveArena(8192);
      const kept: { bytes: Uint8Array; fill: number; pin: number }[] = [];
      for (const [index, [length, isKept, which]] of steps.entries()) {
        expect(arena.place.length).toBeGreaterThanOrEqual(8192);
        expect(arena.offset % 8).toBe(0);
        arena.place.fill(index, 0, length);
        if (isKept) kept.push({ bytes: arena.place.subarray(0, length), fill: index, pin: arena.pin(length) });
        else if (kept.length > 0) arena.unpin(kept.splice(which % kept.length, 1)[0]?.pin ?? 0);
        for (const { bytes, fill } of kept) expect(bytes.every((byte) => byte === fill)).toBe(true);
      }
      for (const { pin } of kept) arena.unpin(pin);
      expect([arena.pinnedBytes, arena.offset]).toEqual([0, 0]);
    }),
  );
});
