/** Packs into `folder`, platform packages where their binary was built; gives the tarballs by package name. */
export function packPackages(folder: string): Promise<Record<string, string>>;
