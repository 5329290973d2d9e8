/** What PROPFIND answers: a collection and its members. */
import { BackendError } from '../errors.ts';
import { xmlChildren, xmlText, type XmlElement } from '../http/xml.ts';

export interface WebdavEntry {
  /** Decoded, the last part of its path. */
  readonly name: string;
  readonly isCollection: boolean;
  readonly sizeBytes: number | undefined;
  readonly lastModifiedMs: number | undefined;
}

/** @throws BackendError (temporary) if the answer does not hold together */
export function multistatusEntries(multistatus: XmlElement, host: string): { readonly self: WebdavEntry; readonly entries: WebdavEntry[] } {
  const found = xmlChildren(multistatus, 'response').map((response) => ({
    segments: pathSegments(xmlText(response, 'href') ?? ''),
    response,
  }));
  // The collection itself is among them, wherever servers behind proxies believe it to be.
  const depth = Math.min(...found.map(({ segments }) => segments.length));
  const self = found.find(({ segments }) => segments.length === depth);
  if (self === undefined) throw new BackendError(`${host} answered a question for properties without any`, { temporary: true });
  const members = found.filter(({ segments }) => segments.length === depth + 1);
  return { self: entryOf(self), entries: members.map((member) => entryOf(member)) };
}

function entryOf({ segments, response }: { readonly segments: readonly string[]; readonly response: XmlElement }): WebdavEntry {
  // Those that are there come with status 200, those that are not with another.
  const props = xmlChildren(response, 'propstat')
    .filter((propstat) => / 200( |$)/.test(xmlText(propstat, 'status') ?? ' 200'))
    .flatMap((propstat) => xmlChildren(propstat, 'prop'));
  const text = (name: string): string | undefined => props.map((prop) => xmlText(prop, name)).find((value) => value !== undefined);
  const size = text('getcontentlength')?.trim() ?? '';
  const lastModifiedMs = Date.parse(text('getlastmodified') ?? '');
  return {
    name: segments.at(-1) ?? '',
    isCollection: props.some((prop) => xmlChildren(prop, 'resourcetype').some((type) => type['collection'] !== undefined)),
    sizeBytes: /^\d+$/.test(size) ? Number(size) : undefined,
    lastModifiedMs: Number.isNaN(lastModifiedMs) ? undefined : lastModifiedMs,
  };
}

/** Of a URL or a path. */
function pathSegments(href: string): string[] {
  return href
    .trim()
    .replace(/^[a-z]+:\/\/[^/]*/i, '')
    .split('/')
    .filter((segment) => segment !== '')
    .map((segment) => {
      try {
        return decodeURIComponent(segment);
      } catch {
        return segment;
      }
    });
}
