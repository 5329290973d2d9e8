/** The client that the options of an HTTP store describe. */
import { UserError } from '../../util/errors.ts';
import type { BackendSpec, OpenSpec } from '../backend-factory.ts';
import { HttpClient } from './http-client.ts';
import { DEFAULT_TIMEOUT_S } from './http-option-specs.ts';

const MAX_TIMEOUT_S = 24 * 3600;

/** The value of an option that takes one. */
export function optionValue(spec: BackendSpec, name: string): string | undefined {
  const value = spec.options[name];
  return typeof value === 'string' ? value : undefined;
}

/** @throws UserError with exit code 2 for bad values, 13 for a bad proxy variable */
export function openHttpClient(spec: OpenSpec): HttpClient {
  return new HttpClient({
    maxConnections: spec.maxConnections,
    timeoutMs: timeoutMs(spec),
    caPath: optionValue(spec, 'ssl-ca-path'),
    bandwidth: spec.bandwidth,
  });
}

/** Of `tcp-timeout`. @throws UserError */
export function timeoutMs(spec: BackendSpec): number {
  const text = optionValue(spec, 'tcp-timeout') ?? String(DEFAULT_TIMEOUT_S);
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (!(seconds > 0 && seconds <= MAX_TIMEOUT_S))
    throw new UserError(`Backend option tcp-timeout=${text} must be a number of seconds above 0.`, 2);
  return seconds * 1000;
}
