/**
 * What a command takes, as data. One table per command says everything there is to know about its arguments and options; the parser, `--help`,
 * the manual pages, the completions and the reference in docs/ all come from it.
 *
 * A table is typed by the object it parses to: an option that is missing from the table, or of another type than the command expects, does
 * not compile.
 */

/** A switch: absent is false. */
export interface FlagSpec {
  /** With dashes, e.g. `--plain`. Absent for switches that mount(8) knows by a letter alone. */
  readonly long?: string;
  /** With a dash, e.g. `-z`. */
  readonly short?: string;
  /** A sentence without a full stop. */
  readonly description: string;
}

/** An option with a value. */
export interface ValueSpec<Value> extends FlagSpec {
  /** What stands for the value in help, e.g. `KiB`. */
  readonly value: string;
  /** Makes the value; `previous` is what earlier uses on the same command line, or `initial`, gave. @throws InvalidValueError */
  readonly parse: (text: string, previous: Value) => Value;
  readonly initial: Value;
  /** What happens if the option is not given, for people. Absent if that goes without saying. */
  readonly fallback?: string;
  /** May be given several times; the values add up. */
  readonly repeatable?: boolean;
  /** The only values there are (for completions; `parse` still decides). */
  readonly choices?: readonly string[];
  /** What completions offer. */
  readonly completes?: 'file' | 'directory';
}

export type OptionSpec<Value> = ValueSpec<Value> | (Value extends boolean ? FlagSpec : never);
export type OptionTable<Options> = { readonly [Key in keyof Options]-?: OptionSpec<Options[Key]> };

/** A positional argument. Only the last of a table may be variadic: it takes one or more, or, if optional, any number (none: `[]`). */
export interface ArgumentSpec<Value> {
  /** As in help, e.g. `storage-url`. */
  readonly name: string;
  readonly description: string;
  readonly parse: (text: string, previous: Value | undefined) => Value;
  readonly variadic?: boolean;
  readonly optional?: boolean;
  readonly choices?: readonly string[];
  readonly completes?: 'file' | 'directory';
}

/** In the order of the command line. */
export type ArgumentTable<Arguments> = { readonly [Key in keyof Arguments]-?: ArgumentSpec<Arguments[Key]> };

export interface CommandSpec<Arguments, Options> {
  /** As in `s3ql NAME`. */
  readonly name: string;
  /** The command's own program, e.g. `mkfs.s3ql`; for commands that only `s3ql` has, `s3ql NAME`. */
  readonly program: string;
  /** What it does, in a few words: a line in a list. */
  readonly summary: string;
  /** What it does, in paragraphs. */
  readonly description: readonly string[];
  readonly arguments: ArgumentTable<Arguments>;
  readonly options: OptionTable<Options>;
}

/** As in usage: `<name>`, `<name...>`, `[name...]`. */
export function argumentUsage({ name, variadic = false, optional = false }: AnyArgumentSpec): string {
  const text = variadic ? `${name}...` : name;
  return optional ? `[${text}]` : `<${text}>`;
}

/** Any option, argument and command, for code that reads tables without knowing what they parse to. */
export type AnyOptionSpec = FlagSpec | (Omit<ValueSpec<unknown>, 'parse'> & { readonly parse: (text: string, previous: never) => unknown });
export type AnyArgumentSpec = Omit<ArgumentSpec<unknown>, 'parse'> & { readonly parse: (text: string, previous: never) => unknown };
export type AnyCommandSpec = Omit<CommandSpec<unknown, unknown>, 'arguments' | 'options'> & {
  readonly arguments: Readonly<Record<string, AnyArgumentSpec>>;
  readonly options: Readonly<Record<string, AnyOptionSpec>>;
};

/** A value that an option or argument does not take; the parser says which option it was. */
export class InvalidValueError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'InvalidValueError';
  }
}
