/** All tables of the conformance suite. */
import type { Table } from './row.ts';
import { aclTable } from './tables/acls.ts';
import { chmodTable } from './tables/chmod.ts';
import { chownTable } from './tables/chown.ts';
import { copyTable } from './tables/copies.ts';
import { createTable } from './tables/create.ts';
import { linkTable } from './tables/links.ts';
import { mknodTable } from './tables/mknod.ts';
import { openTable } from './tables/open.ts';
import { pathTable } from './tables/paths.ts';
import { permissionTable } from './tables/permissions.ts';
import { removeTable } from './tables/remove.ts';
import { renameTable } from './tables/rename.ts';
import { spaceTable } from './tables/space.ts';
import { statusTable } from './tables/status.ts';
import { timeTable } from './tables/times.ts';
import { truncateTable } from './tables/truncate.ts';
import { xattrTable } from './tables/xattrs.ts';

export const tables: readonly Table[] = [
  pathTable,
  permissionTable,
  chmodTable,
  chownTable,
  createTable,
  mknodTable,
  openTable,
  removeTable,
  renameTable,
  truncateTable,
  timeTable,
  linkTable,
  xattrTable,
  aclTable,
  spaceTable,
  copyTable,
  statusTable,
];
