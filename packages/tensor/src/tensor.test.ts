import { describe, expect, test } from 'vitest';
import { arange, full, tensor, zeros } from './create.js';
import { concat } from './ops/concat.js';
import { split } from './ops/split.js';
import { memoryStats } from './storage.js';
import type { Tensor } from './tensor.js';

const device = 'reference';
const grid = (...shape: number[]) =>
  arange(
    shape.reduce((a, b) => a * b, 1),
    { device, dtype: 'f64' },
  ).reshape(shape);
const list = (x: Tensor) => [...x.toArray()];

describe('creation', () => {
  test('from nested, flat and typed arrays', () => {
    expect(
      tensor(
        [
          [1, 2, 3],
          [4, 5, 6],
        ],
        { device },
      ).shape,
    ).toEqual([2, 3]);
    expect(tensor([1, 2, 3, 4], { shape: [2, 2], device }).dtype).toBe('f32');
    expect(tensor(new Float64Array(2), { device }).dtype).toBe('f64');
    expect(tensor(Int32Array.of(1), { device }).dtype).toBe('i32');
    expect(tensor(7, { device }).shape).toEqual([]);
    expect(tensor([[], []], { device }).shape).toEqual([2, 0]);
    expect(list(tensor(new Float64Array([0.1]), { dtype: 'f32', device }))).toEqual([Math.fround(0.1)]);
  });
  test('of f16 and bf16, from numbers or raw bits', () => {
    expect(list(tensor([1, -2], { dtype: 'f16', device }).cast('f32'))).toEqual([1, -2]);
    expect(list(tensor(Uint16Array.of(0x3f80), { dtype: 'bf16', device }).cast('f32'))).toEqual([1]);
    expect(() => tensor(Uint16Array.of(1), { device })).toThrow(/bf16/);
  });
  test('fills and ranges', () => {
    expect(list(full([2], 3, { device }))).toEqual([3, 3]);
    expect(list(arange(1, { start: 0, step: 0.25, device }))).toEqual([0, 0.25, 0.5, 0.75]);
    expect(list(arange(0, { start: 3, step: -1, device, dtype: 'i32' }))).toEqual([3, 2, 1]);
    expect(() => arange(1, { step: 0, device })).toThrow(/step/);
  });
  test('refuses what does not fit', () => {
    expect(() => tensor([[1, 2], [3]], { device })).toThrow(/nested evenly/);
    expect(() => tensor([1, 2], { shape: [3], device })).toThrow(/2 elements/);
    expect(() => tensor([1.5], { dtype: 'i32', device })).toThrow(/data\[0\].*whole number/);
    expect(() => tensor([256], { dtype: 'u8', device })).toThrow(/255/);
    expect(() => zeros([-1], { device })).toThrow(/whole sizes/);
    expect(() => zeros([2], { dtype: 'c64', device })).toThrow(/last axis of 2/);
    expect(() => zeros([1], { device: 'tpu' })).toThrow(/tpu/);
  });
});

describe('views', () => {
  test('share memory', () => {
    const x = grid(2, 3, 4);
    const before = memoryStats().buffers;
    const views = [
      x.slice(1, 1, 3),
      x.select(0, 1),
      x.transpose(0, 2),
      x.permute([1, 2, 0]),
      x.reshape([6, 4]),
      x.slice(2, 1, 3).reshape([6, 2]),
      x.unsqueeze(0).expand([5, 2, 3, 4]),
      x.flatten(),
      x.detach(),
    ];
    expect(memoryStats().buffers).toBe(before);
    x.fill(7);
    for (const view of views) expect(new Set(view.toArray())).toEqual(new Set([7]));
  });
  test('show the right elements', () => {
    const x = grid(2, 3, 4);
    expect(list(x.slice(1, -1).select(2, 0))).toEqual([8, 20]);
    expect(list(x.permute([2, 0, 1]).slice(0, 0, 1))).toEqual([0, 4, 8, 12, 16, 20]);
    expect(list(x.transpose(0, 1).reshape([3, 8]).select(0, 1))).toEqual([4, 5, 6, 7, 16, 17, 18, 19]);
    expect(list(x.select(0, 0).select(0, 1).expand([2, 4]))).toEqual([4, 5, 6, 7, 4, 5, 6, 7]);
    expect(split(x, [1, 3], -1).map((part) => part.shape)).toEqual([
      [2, 3, 1],
      [2, 3, 3],
    ]);
  });
  test('reshape copies only where strides force it', () => {
    const x = grid(4, 6);
    const shares = (y: Tensor) => y.data === x.data;
    expect(shares(x.slice(1, 0, 3).reshape([2, 2, 3]))).toBe(true);
    expect(shares(x.slice(1, 0, 3).reshape([12]))).toBe(false);
    expect(shares(x.transpose(0, 1).reshape([2, 3, 4]))).toBe(true);
    expect(shares(x.transpose(0, 1).reshape([24]))).toBe(false);
    expect(shares(x.unsqueeze(1).reshape([4, 6, 1]))).toBe(true);
    expect(x.reshape([4, 6])).toBe(x);
  });
  test('refuse axes, ranges and sizes outside', () => {
    const x = grid(2, 3);
    expect(() => x.slice(2, 0, 1)).toThrow(/axis in \[-2, 2\)/);
    expect(() => x.slice(1, 2, 1)).toThrow(/start <= end <= 3/);
    expect(() => x.select(1, 3)).toThrow(/index/);
    expect(() => x.reshape([4])).toThrow(/6 elements/);
    expect(() => x.reshape([-1, -1])).toThrow(/6 elements/);
    expect(() => x.reshape([-1, 4])).toThrow(/6 elements/);
    expect(() => x.expand([3, 3])).toThrow(/\(2, 3\) broadcasts/);
    expect(() => x.permute([0, 0])).toThrow(/each of 2 axes once/);
    expect(() => x.squeeze(0)).toThrow(/size 1/);
    expect(() => split(x, [1, 1], 1)).toThrow(/add up to 3/);
  });
});

describe('arithmetic', () => {
  test('broadcasts as NumPy', () => {
    const row = tensor([10, 20, 30], { device, dtype: 'f64' });
    expect(list(grid(2, 3).add(row))).toEqual([10, 21, 32, 13, 24, 35]);
    expect(list(grid(2, 1).mul(row))).toEqual([0, 0, 0, 10, 20, 30]);
    expect(grid(2, 1, 3).sub(grid(4, 1)).shape).toEqual([2, 4, 3]);
    expect(list(grid(3).div(2).maximum(0.6))).toEqual([0.6, 0.6, 1]);
  });
  test('reduces over the axes asked for', () => {
    const x = grid(2, 3);
    expect(x.sum().item()).toBe(15);
    expect(list(x.mean(0))).toEqual([1.5, 2.5, 3.5]);
    expect(x.max(-1, true).shape).toEqual([2, 1]);
    expect(list(x.argmax())).toEqual([2, 2]);
    expect(() => x.sum([0, 0])).toThrow(/distinct axes/);
  });
  test('multiplies matrices of any strides', () => {
    const a = grid(2, 3);
    expect(list(a.matmul(a.transpose(0, 1)))).toEqual([5, 14, 14, 50]);
    expect(list(a.transpose(0, 1).matmul(a).select(0, 0))).toEqual([9, 12, 15]);
    expect(() => a.matmul(a)).toThrow(/K = 3/);
    expect(() => a.matmul(tensor(1, { device, dtype: 'f64' }))).toThrow(/at least one axis/);
  });
  test('handles tensors without elements', () => {
    const none = zeros([0, 3], { device });
    expect(list(none.add(1).silu())).toEqual([]);
    expect(none.sum().item()).toBe(0);
    expect(concat([none, zeros([2, 3], { device })], 0).shape).toEqual([2, 3]);
    expect(none.matmul(zeros([3, 2], { device })).shape).toEqual([0, 2]);
    expect(list(zeros([2, 0], { device }).matmul(zeros([0, 2], { device })))).toEqual([0, 0, 0, 0]);
  });
  test('refuses other formats and devices by name', () => {
    const x = tensor([1], { device });
    expect(() => x.add(tensor(new Float64Array(1), { device }))).toThrow(
      /add: b: expected f32.*got f64.*cast/,
    );
    expect(() => tensor(Int32Array.of(1), { device }).exp()).toThrow(/exp: x: expected f32 or f64.*got i32/);
    expect(() => grid(2, 3).add(grid(2))).toThrow(/broadcasts with \(2, 3\)/);
    expect(() => x.mul(tensor([1, 2, 3], { dtype: 'bf16', device }))).toThrow(/bf16/);
  });
});

describe('host access', () => {
  test('item wants one element', () => {
    expect(tensor([[4]], { device }).item()).toBe(4);
    expect(() => grid(2).item()).toThrow(/one element/);
  });
  test('copyFrom converts tensors, checks arrays, and writes through views', () => {
    const x = zeros([2, 2], { device });
    x.copyFrom(grid(2, 2));
    expect(list(x)).toEqual([0, 1, 2, 3]);
    x.transpose(0, 1).copyFrom(new Float32Array([5, 6, 7, 8]));
    expect(list(x)).toEqual([5, 7, 6, 8]);
    expect(() => x.copyFrom(new Float64Array(4))).toThrow(/Float32Array/);
    expect(() => x.copyFrom(new Float32Array(3))).toThrow(/4 numbers/);
    expect(() => x.copyFrom(grid(4))).toThrow(/\(2, 2\)/);
  });
  test('spreads into a TensorLike', () => {
    const x = grid(2, 2);
    expect({ ...x, shape: [4] }.data).toBe(x.data);
  });
});
