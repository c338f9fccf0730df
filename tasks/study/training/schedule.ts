/**
 * Cosine annealing (Loshchilov and Hutter, 2017; as torch.optim.lr_scheduler.CosineAnnealingLR): the learning rate of
 * step `step` (from 0) of `total`. Step `total`, which is never done, would have the minimum.
 */
export function cosineRate(base: number, minimum: number, step: number, total: number): number {
  return minimum + ((base - minimum) * (1 + Math.cos((Math.PI * step) / total))) / 2;
}
