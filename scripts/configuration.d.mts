export function configurationPage(
  settings: Record<string, { type: string; meaning: string; fallback: string | undefined }>,
): Promise<string>;
