import { expect, test } from 'vitest';
import { WriteGate } from './write-gate.ts';

test('changes are refused for as long as there is a reason, with the errno of the first', () => {
  const gate = new WriteGate();
  gate.requireOpen();
  gate.close('disk', 'the disk is full');
  gate.close('store', 'the store is down');
  expect(() => gate.requireOpen()).toThrow(expect.objectContaining({ code: 'ENOSPC', message: 'the disk is full' }));
  gate.open('disk');
  expect(() => gate.requireOpen()).toThrow(expect.objectContaining({ code: 'EROFS' }));
  expect([gate.isClosed('store'), gate.isClosed('lost'), gate.readOnlyBecause]).toEqual([true, false, 'the store is down']);
  gate.open('store');
  gate.requireOpen();
});
