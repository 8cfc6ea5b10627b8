/** Public packages, each behind those it depends on. */
export function publishable(
  folder?: string,
): { directory: string; manifest: { name: string; version: string } }[];
