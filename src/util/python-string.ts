/** Python's string literals: what repr() writes and what its parser reads. */

const NAMED_ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\t': '\\t', '\r': '\\r' };
/** What Python calls not printable: controls, formats, surrogates, unassigned, private use, and every separator but the space. */
const NOT_PRINTABLE = /[\p{C}\p{Zl}\p{Zp}\p{Zs}]/u;

const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  '\n': '',
  '\\': '\\',
  "'": "'",
  '"': '"',
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};
const HEX_ESCAPE_DIGITS: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

/** Python's repr() of a str. */
export function pythonStringRepr(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  let literal = quote;
  for (const char of text) literal += char === quote ? `\\${char}` : escaped(char);
  return literal + quote;
}

function escaped(char: string): string {
  const named = NAMED_ESCAPES[char];
  if (named !== undefined) return named;
  if (char === ' ' || !NOT_PRINTABLE.test(char)) return char;
  const code = char.codePointAt(0) ?? 0;
  if (code <= 0xff) return `\\x${code.toString(16).padStart(2, '0')}`;
  if (code <= 0xffff) return `\\u${code.toString(16).padStart(4, '0')}`;
  return `\\U${code.toString(16).padStart(8, '0')}`;
}

/**
 * The text that the inside of a Python string literal stands for.
 * @throws SyntaxError for an escape that Python does not know, except by name (`\N{...}` is refused too)
 */
export function unescapePythonString(body: string): string {
  if (!body.includes('\\')) return body;
  let text = '';
  let at = 0;
  for (let slash = body.indexOf('\\'); slash !== -1; slash = body.indexOf('\\', at)) {
    text += body.slice(at, slash);
    const kind = body.charAt(slash + 1);
    const simple = SIMPLE_ESCAPES[kind];
    const hexDigits = HEX_ESCAPE_DIGITS[kind];
    if (simple !== undefined) {
      text += simple;
      at = slash + 2;
    } else if (hexDigits !== undefined) {
      at = slash + 2 + hexDigits;
      text += codePoint(body.slice(slash + 2, at), hexDigits);
    } else {
      const octal = /^[0-7]{1,3}/.exec(body.slice(slash + 1, slash + 4))?.[0];
      if (octal === undefined) throw new SyntaxError(`unknown escape \\${kind}`);
      text += String.fromCharCode(Number.parseInt(octal, 8));
      at = slash + 1 + octal.length;
    }
  }
  return text + body.slice(at);
}

function codePoint(hex: string, digits: number): string {
  const code = new RegExp(`^[0-9a-fA-F]{${digits}}$`).test(hex) ? Number.parseInt(hex, 16) : Number.NaN;
  if (!(code <= 0x10ffff)) throw new SyntaxError(`bad character code "${hex}"`);
  return String.fromCodePoint(code);
}
