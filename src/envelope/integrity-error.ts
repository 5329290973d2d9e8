import { CorruptedObjectError } from '../backends/errors.ts';

/** An object is not what we sealed under this name with this key, or was damaged since. */
export class IntegrityError extends CorruptedObjectError {
  readonly key: string;
  readonly reason: string;

  constructor(key: string, reason: string, options?: ErrorOptions) {
    super(`object ${key} is damaged: ${reason}`, options);
    this.key = key;
    this.reason = reason;
  }
}
