/**
 * `@statespace/ssd-core/files`: arrays as the bytes of files, without touching a disk. NumPy's .npy, and the number formats
 * that files have beyond those of tensors.
 */
export { decodeRawNpy, encodeNpy, type NpyContents, npyStrides, parseNpy, readNpyNumbers } from './npy.js';
export {
  bytesOf,
  describe,
  type FileArray,
  type FileDType,
  fileArray,
  fileArrayOf,
  fileFormats,
  type RawTensor,
} from './raw-tensor.js';
