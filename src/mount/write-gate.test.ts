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

test('on a full disk changes that make room are taken, unless there is another reason', () => {
  const gate = new WriteGate();
  gate.close('reserve', 'the disk is full');
  gate.requireOpen('makes-room');
  expect(() => gate.requireOpen()).toThrow(expect.objectContaining({ code: 'ENOSPC' }));
  gate.close('disk', 'the reserve is used up');
  expect(() => gate.requireOpen('makes-room')).toThrow(expect.objectContaining({ code: 'ENOSPC', message: 'the reserve is used up' }));
});
