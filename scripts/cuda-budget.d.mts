export interface KernelCost {
  readonly registers: number;
  readonly spillBytes: number;
}
export function hasNvcc(): Promise<boolean>;
export function measureKernels(): Promise<Map<string, KernelCost>>;
export function exceededBudgets(kernels: ReadonlyMap<string, KernelCost>): Promise<string[]>;
