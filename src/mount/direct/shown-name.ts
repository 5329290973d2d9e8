/** File names are bytes; how they are shown in messages, on terminals and in JSON. */

/** For people: control characters and what is no UTF-8 are replaced, so that a name cannot command a terminal. */
export function shownName(name: Uint8Array): string {
  return Buffer.from(name)
    .toString('utf8')
    .replaceAll(/\p{Cc}/gu, '?');
}

/** For programs: the text, and the bytes in base64 where the text would not be exact. */
export function jsonName<Key extends string>(key: Key, name: Uint8Array): Readonly<Record<string, string>> {
  const bytes = Buffer.from(name);
  const text = bytes.toString('utf8');
  return Buffer.from(text).equals(bytes) ? { [key]: text } : { [key]: text, [`${key}Base64`]: bytes.toString('base64') };
}
