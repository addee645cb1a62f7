/** The gradient rule of every differentiable op, as the CPU runs it. */
import { testOpGradients } from '../../support/op-gradients';

describe('gradient rules of the ops', () => testOpGradients({ provider: 'cpu', tolerance: 1e-5 }));
