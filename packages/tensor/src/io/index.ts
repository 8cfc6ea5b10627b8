export { decodeRawNpy, type FileArray, type FileDType, type RawTensor } from '@statespace/ssd-core/files';
export { makeFolder } from './make-folder.js';
export { decodeNpy, encodeNpy, readNpy, writeNpy } from './npy.js';
export { decodeNpz, encodeNpz, type NpzWriteOptions, readNpz, writeNpz } from './npz.js';
export type { SafetensorsEntry } from './safetensors-header.js';
export {
  decodeSafetensors,
  openSafetensors,
  readSafetensors,
  type SafetensorsContents,
  SafetensorsFile,
} from './safetensors-read.js';
export {
  encodeSafetensors,
  type NamedTensors,
  type SafetensorsWriteOptions,
  writeSafetensors,
} from './safetensors-write.js';
export {
  type FileContents,
  type WritableFile,
  type WritableFileSystem,
  type WriteFileOptions,
  writeFileAtomic,
} from './write-file-atomic.js';
