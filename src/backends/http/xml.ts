/** Reading XML of servers: elements as objects, text as strings, namespaces ignored. */
import { XMLParser } from 'fast-xml-parser';
import { BackendError } from '../errors.ts';

export type XmlValue = string | XmlElement | readonly (string | XmlElement)[];
export interface XmlElement {
  readonly [name: string]: XmlValue | undefined;
}

const parser = new XMLParser({
  ignoreAttributes: true,
  ignoreDeclaration: true,
  removeNSPrefix: true,
  parseTagValue: false,
  // A key may begin or end with a space.
  trimValues: false,
  htmlEntities: true,
});

/** The content of the root element of that name; undefined if the text is no XML or has another root. */
export function parseXml(text: Uint8Array, root: string): XmlElement | undefined {
  let document: XmlElement;
  try {
    document = parser.parse(Buffer.from(text.buffer, text.byteOffset, text.byteLength).toString('utf8')) as XmlElement;
  } catch {
    return undefined;
  }
  const element = document[root];
  // An element without content is an empty string.
  if (typeof element === 'string') return {};
  return isElement(element) ? element : undefined;
}

/** As parseXml. @throws BackendError (temporary) if a server's answer is something else */
export function expectXml(text: Uint8Array, root: string, host: string): XmlElement {
  const element = parseXml(text, root);
  if (element === undefined) throw new BackendError(`${host} answered something else than an XML document "${root}"`, { temporary: true });
  return element;
}

/** The text of a child element. */
export function xmlText(element: XmlElement | undefined, name: string): string | undefined {
  const value = element?.[name];
  return typeof value === 'string' ? value : undefined;
}

/** All child elements of that name that have children. */
export function xmlChildren(element: XmlElement, name: string): XmlElement[] {
  const value = element[name];
  if (value === undefined) return [];
  return (Array.isArray(value) ? (value as readonly XmlValue[]) : [value]).filter((item) => isElement(item));
}

/** Text as it may stand in an element. */
export function escapeXml(text: string): string {
  return text.replace(/[&<>"'\r\n\t]/g, (char) => `&#${char.charCodeAt(0)};`);
}

function isElement(value: XmlValue | undefined): value is XmlElement {
  return typeof value === 'object' && !Array.isArray(value);
}
