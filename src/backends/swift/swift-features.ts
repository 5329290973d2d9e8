/** What a Swift store says of itself at `/info`. https://docs.openstack.org/api-ref/object-store/#discoverability */
import { isSuccess } from '../http/http-status.ts';
import { parseJson } from '../http/json.ts';
import type { SwiftConnection } from './swift-connection.ts';

/** More per request only makes failures dearer. */
const MAX_BATCH_DELETE = 1000;

export interface SwiftFeatures {
  /** Keys per bulk deletion; 1 if there is none. */
  readonly batchDelete: number;
  /** Characters of a metadata header's value. */
  readonly maxValueChars?: number;
}

export const NO_FEATURES: SwiftFeatures = { batchDelete: 1 };

interface Info {
  readonly swift?: { readonly max_meta_value_length?: number };
  readonly bulk_delete?: { readonly max_deletes_per_request?: number };
}

/** A store that tells nothing has none. */
export async function detectFeatures(connection: SwiftConnection): Promise<SwiftFeatures> {
  const response = await connection.info();
  if (!isSuccess(response.status)) return NO_FEATURES;
  const { swift = {}, bulk_delete: bulk = {} } = parseJson<Info>(response.body, connection.host);
  const maxDeletes = bulk.max_deletes_per_request;
  const maxValueChars = swift.max_meta_value_length;
  return {
    batchDelete: maxDeletes === undefined ? 1 : Math.max(1, Math.min(maxDeletes, MAX_BATCH_DELETE)),
    ...(maxValueChars === undefined ? {} : { maxValueChars }),
  };
}
