import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the clone. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

/** Tools and virtual environments that the set-up makes; safe to delete. */
export const toolsFolder = join(root, '.tools');

/** A path inside the clone. */
export const inRoot = (...parts) => join(root, ...parts);
