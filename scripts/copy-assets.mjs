// Copies what the compiler leaves behind (the descriptor set, mail templates) from src to dist.
import { cpSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

cpSync(join(root, 'src'), join(root, 'dist'), {
  recursive: true,
  filter: (path) =>
    statSync(path).isDirectory() || (!path.endsWith('.ts') && !basename(path).startsWith('.')),
});
