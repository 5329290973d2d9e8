/** Python's repr() of bytes: any byte, as printable ASCII. */

const QUOTE = 0x27;
const BACKSLASH = 0x5c;

export function pythonBytesRepr(bytes: Uint8Array): string {
  return `b'${Array.from(bytes, escaped).join('')}'`;
}

function escaped(byte: number): string {
  if (byte === QUOTE || byte === BACKSLASH) return `\\${String.fromCharCode(byte)}`;
  if (byte >= 0x20 && byte < 0x7f) return String.fromCharCode(byte);
  return `\\x${byte.toString(16).padStart(2, '0')}`;
}
