/**
 * `@statespace/native-scan/adapters`: tensors of other libraries as tensors of kernels, and back. Each library is known by
 * the shape of its objects; none is loaded, nor is the addon.
 */
export type { ArrayTensor } from './array-tensor.js';
export {
  type FromMatrixOptions,
  fillMatrix,
  fromMatrices,
  fromMatrix,
  type MatrixClass,
  type ReadableMatrix,
  toMatrices,
  toMatrix,
  type WritableMatrix,
} from './ml-matrix.js';
export { fromNdarray, type Ndarray, type NdarrayArguments, toNdarray } from './ndarray.js';
export { fromNpy, type NpyOptions, toNpy } from './npy.js';
export { fromOnnxTensor, type OnnxTensor, type OnnxTensorArguments, toOnnxTensor } from './onnxruntime.js';
export { fromTfjsTensor, type TfjsTensor, type TfjsTensorArguments, toTfjsTensor } from './tfjs.js';
