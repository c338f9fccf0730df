/**
 * Cosine annealing (Loshchilov and Hutter, 2017; as torch.optim.lr_scheduler.CosineAnnealingLR): the learning
 * rate of `step` (from 0) of `total`; the minimum would be reached at step `total`.
 */
export function cosineRate(base: number, minimum: number, step: number, total: number): number {
  return minimum + ((base - minimum) * (1 + Math.cos((Math.PI * step) / total))) / 2;
}
