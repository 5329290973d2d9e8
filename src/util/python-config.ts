/**
 * Reads INI files exactly as Python's configparser.ConfigParser does with its defaults
 * (https://docs.python.org/3/library/configparser.html): `=` or `:` between key and value, whole-line comments with `#` or `;`, values
 * that go on in indented lines, keys without case, a DEFAULT section for all, `%(key)s` and `%%` in values, nothing twice.
 * The usual INI packages of npm read such files differently.
 */

export type ConfigSection = ReadonlyMap<string, string>;

/** The file is not one that ConfigParser takes. */
export class ConfigSyntaxError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ConfigSyntaxError';
  }
}

const DEFAULT_SECTION = 'DEFAULT';
const MAX_INTERPOLATION_DEPTH = 10;
/** A few levels of values that quote each other twice make gigabytes. */
const MAX_VALUE_CHARS = 1024 * 1024;

/** What Python takes for white space; JavaScript knows other characters. */
const SPACE = '[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]';
const SPACE_AT_START = new RegExp(`^${SPACE}+`);
const SPACE_AT_END = new RegExp(`${SPACE}+$`);

type RawSection = Map<string, string[]>;

/** All sections but DEFAULT, in order, with DEFAULT's values merged and values interpolated. @throws ConfigSyntaxError */
export function parsePythonConfig(text: string): ReadonlyMap<string, ConfigSection> {
  const { defaults, sections } = readLines(text);
  const joined = (section: RawSection): Map<string, string> =>
    new Map([...section].map(([key, lines]) => [key, withoutSpaceAtEnd(lines.join('\n'))]));
  const merged = [...sections].map(([name, section]) => {
    const raw = new Map([...joined(defaults), ...joined(section)]);
    return [name, new Map([...raw.keys()].map((key) => [key, interpolated(raw, name, key)]))] as const;
  });
  return new Map(merged);
}

function readLines(text: string): { defaults: RawSection; sections: ReadonlyMap<string, RawSection> } {
  const defaults: RawSection = new Map();
  const sections = new Map<string, RawSection>();
  let section: RawSection | undefined;
  let sectionName = '';
  let value: string[] | undefined;
  let indentation = 0;

  for (const [index, line] of text.split(/\r\n|\r|\n/).entries()) {
    const indented = withoutSpaceAtEnd(line);
    const content = indented.replace(SPACE_AT_START, '');
    const where = `line ${index + 1}`;
    if (content.startsWith('#') || content.startsWith(';')) continue;
    if (content === '') {
      value?.push('');
      continue;
    }
    const lineIndentation = indented.length - content.length;
    if (value !== undefined && lineIndentation > indentation) {
      value.push(content);
      continue;
    }
    indentation = lineIndentation;

    const header = /^\[(.+)\]/s.exec(content)?.[1];
    if (header !== undefined) {
      if (sections.has(header)) throw new ConfigSyntaxError(`${where}: section [${header}] is there already`);
      section = header === DEFAULT_SECTION ? defaults : new Map();
      sectionName = header;
      value = undefined;
      if (header !== DEFAULT_SECTION) sections.set(header, section);
      continue;
    }
    if (section === undefined) throw new ConfigSyntaxError(`${where}: a [section] must come first`);
    const [, name = '', first = ''] = /^([^=:]+)[=:](.*)$/s.exec(content) ?? [];
    // The line itself stays out of the message: it may be half a password.
    if (name === '') throw new ConfigSyntaxError(`${where}: neither a [section] nor "key: value"`);
    const key = withoutSpaceAtEnd(name).toLowerCase();
    if (section.has(key)) throw new ConfigSyntaxError(`${where}: "${key}" is in section [${sectionName}] already`);
    value = [first.replace(SPACE_AT_START, '')];
    section.set(key, value);
  }
  return { defaults, sections };
}

function withoutSpaceAtEnd(text: string): string {
  return text.replace(SPACE_AT_END, '');
}

function interpolated(section: ReadonlyMap<string, string>, sectionName: string, key: string): string {
  const fail = (what: string): ConfigSyntaxError => new ConfigSyntaxError(`"${key}" in section [${sectionName}]: ${what}`);
  const expand = (text: string, depth: number): string => {
    if (depth > MAX_INTERPOLATION_DEPTH) throw fail('its %(...)s go in circles');
    const result = text.replaceAll(/%(?:%|\(([^)]+)\)s|)/g, (reference, name: string | undefined) => {
      if (reference === '%%') return '%';
      if (name === undefined) throw fail('"%" must be written "%%"');
      const value = section.get(name.toLowerCase());
      if (value === undefined) throw fail(`%(${name})s refers to a key that is not there`);
      return value.includes('%') ? expand(value, depth + 1) : value;
    });
    if (result.length > MAX_VALUE_CHARS) throw fail('it is too long');
    return result;
  };
  return expand(section.get(key) ?? '', 1);
}
