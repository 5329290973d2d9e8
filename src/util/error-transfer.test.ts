import { expect, test } from 'vitest';
import { ErrorTransfer } from './error-transfer.ts';

class StoreError extends Error {
  readonly temporary: boolean;
  constructor(message: string, temporary: boolean, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.temporary = temporary;
  }
}

class MissingError extends StoreError {
  readonly key: string;
  constructor(key: string, options?: ErrorOptions) {
    super(`no ${key}`, false, options);
    this.key = key;
  }
}

class UnknownError extends MissingError {}

const transfer = new ErrorTransfer([StoreError, MissingError]);
const across = (error: unknown): unknown => transfer.decode(structuredClone(transfer.encode(error)));

test('an error arrives with its class, properties, stack and causes', () => {
  const sent = new MissingError('k', { cause: new StoreError('inner', true, { cause: new TypeError('innermost') }) });
  const arrived = across(sent) as MissingError;
  expect(arrived).toBeInstanceOf(MissingError);
  expect(arrived).toMatchObject({ message: 'no k', key: 'k', temporary: false, name: 'MissingError' });
  expect(arrived.stack).toBe(sent.stack);
  expect(arrived.cause).toBeInstanceOf(StoreError);
  expect(arrived.cause).toMatchObject({ message: 'inner', temporary: true });
  expect((arrived.cause as Error).cause).toBeInstanceOf(TypeError);
});

test('an error of an unknown class arrives as its nearest known ancestor', () => {
  const arrived = across(new UnknownError('k'));
  expect(arrived).toBeInstanceOf(MissingError);
  expect(arrived).toMatchObject({ name: 'UnknownError', key: 'k' });
});

test('the reason of an abort arrives as one', () => {
  const arrived = across(AbortSignal.abort().reason);
  expect(arrived).toBeInstanceOf(DOMException);
  expect(arrived).toMatchObject({ name: 'AbortError' });
});

test('system errors keep their code', () => {
  const error = Object.assign(new Error('ENOENT: no such file'), { code: 'ENOENT', errno: -2, syscall: 'open' });
  expect(across(error)).toMatchObject({ code: 'ENOENT', errno: -2, syscall: 'open' });
});

test('properties that cannot be cloned, endless causes and values that are no errors do no harm', () => {
  const error = Object.assign(new Error('x'), { callback: () => 1 });
  error.cause = error;
  expect(across(error)).toMatchObject({ message: 'x' });
  expect([across('text'), across(undefined), across(() => 1)]).toEqual(['text', undefined, '() => 1']);
});
