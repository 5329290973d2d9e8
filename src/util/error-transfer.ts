/**
 * Errors across threads with their class: structured cloning keeps only the built-in ones. Both sides name the classes they expect; an
 * error of an unknown class arrives as its nearest known ancestor.
 */

// oxlint-disable-next-line typescript/no-explicit-any -- the constructors are never called, only their prototypes used
export type ErrorClass = abstract new (...args: any[]) => Error;

/** An error as plain data. */
export type TransferredError =
  | { readonly value: unknown }
  | {
      readonly className: string;
      readonly message: string;
      readonly stack: string | undefined;
      readonly cause: TransferredError | undefined;
      /** Own properties that are plain values. */
      readonly properties: Readonly<Record<string, unknown>>;
    };

const BUILT_IN: readonly ErrorClass[] = [Error, TypeError, RangeError, SyntaxError, ReferenceError, DOMException];
/** A chain of causes is cut there. */
const MAX_CAUSES = 8;

export class ErrorTransfer {
  readonly #classes: ReadonlyMap<string, ErrorClass>;

  /** @param classes those that arrive as what they are; all are told apart by their names */
  constructor(classes: readonly ErrorClass[]) {
    this.#classes = new Map([...BUILT_IN, ...classes].map((errorClass) => [errorClass.name, errorClass]));
  }

  encode(error: unknown, depth: number = 0): TransferredError {
    if (!(error instanceof Error)) return { value: isPlain(error) ? error : String(error) };
    const { cause } = error;
    return {
      className: this.#knownClassOf(error),
      message: error.message,
      stack: error.stack,
      cause: cause === undefined || depth === MAX_CAUSES ? undefined : this.encode(cause, depth + 1),
      properties: Object.fromEntries(
        [...Object.entries(error), ['name', error.name] as const].filter(([key, value]) => key !== 'cause' && isPlain(value)),
      ),
    };
  }

  decode(transferred: TransferredError): unknown {
    if ('value' in transferred) return transferred.value;
    const { className, message, stack, properties } = transferred;
    const options = transferred.cause === undefined ? undefined : { cause: this.decode(transferred.cause) };
    if (className === 'DOMException') return new DOMException(message, { name: String(properties['name']), ...options });
    // Not the class's own constructor, whose parameters we do not know.
    const error = Reflect.construct(Error, [message, options], this.#classes.get(className) ?? Error) as Error;
    Object.assign(error, properties);
    Object.defineProperty(error, 'stack', { value: stack, writable: true, configurable: true, enumerable: false });
    return error;
  }

  #knownClassOf(error: Error): string {
    let prototype = Object.getPrototypeOf(error) as object | null;
    for (; prototype !== null; prototype = Object.getPrototypeOf(prototype) as object | null) {
      const { name } = prototype.constructor;
      if (this.#classes.get(name)?.prototype === prototype) return name;
    }
    return 'Error';
  }
}

function isPlain(value: unknown): boolean {
  return value === null || (typeof value !== 'object' && typeof value !== 'function' && typeof value !== 'symbol');
}
