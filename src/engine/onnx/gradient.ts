/**
 * Reverse-mode differentiation of a graph, into the same graph. It walks the tape backwards, and every op appends the
 * nodes of its gradient rule (the idea of Micrograd, on tensors without values).
 */
import type { Graph, Value } from './graph';
import { add } from './ops/elementwise';

/**
 * Appends the nodes that compute ∂L/∂w for every wanted value.
 * @param seeds ∂L/∂v for the values v through which the loss depends on the graph, of v's shape
 * @returns one gradient per wanted value, of its shape
 * @throws Error when the loss does not depend on a wanted value
 */
export function gradients(g: Graph, seeds: ReadonlyMap<Value, Value>, wanted: readonly Value[]): Value[] {
  const tape = [...g.tape]; // the backward nodes record themselves too
  const leads = new Set(wanted); // values from which a wanted one can be reached
  for (const { inputs, outputs } of tape) {
    if (inputs.some((i) => leads.has(i))) outputs.forEach((o) => leads.add(o));
  }
  const gradient = new Map(seeds);
  for (const { inputs, outputs, backward } of tape.reverse()) {
    const given = outputs.map((o) => gradient.get(o));
    if (given.every((d) => d === undefined) || !outputs.some((o) => leads.has(o))) continue;
    backward(given).forEach((build, i) => {
      const input = inputs[i];
      if (!leads.has(input)) return;
      const sum = gradient.get(input);
      gradient.set(input, sum ? add(g, sum, build()) : build());
    });
  }
  g.tape.length = tape.length;
  return wanted.map((w) => {
    const d = gradient.get(w);
    if (!d) throw new Error(`the loss does not depend on ${w.name}`);
    return d;
  });
}
