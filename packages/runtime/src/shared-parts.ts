/**
 * Parts of specifications that many instances have in common, held once.
 *
 * A specification comes over a socket or from another thread, whole and by itself each time: ten thousand instances of one
 * strategy would keep ten thousand descriptors and configuration schemas. Nobody writes to a specification, so equal
 * parts may be one (shared-parts.test.ts).
 */
import type { InstanceSpec } from "./protocol.ts";

export const SHARED_PARTS_LIMITS = {
  /** Different parts remembered; one that is forgotten is only not shared with those who come later. */
  parts: 1_024,
} as const;

export class SharedParts {
  readonly #known = new Map<string, object>();

  /** The same specification, of parts that were seen before where they are equal. */
  shared(spec: InstanceSpec): InstanceSpec {
    return {
      ...spec,
      descriptor: this.#one(spec.descriptor),
      instruments: this.#one(spec.instruments),
      venue: this.#one(spec.venue),
      limits: this.#one(spec.limits),
      config: this.#one(spec.config),
      lease: this.#one(spec.lease),
      ...(spec.admission === undefined ? {} : { admission: this.#one(spec.admission) }),
      ...(spec.breaker === undefined ? {} : { breaker: this.#one(spec.breaker) }),
      ...(spec.data_quality === undefined ? {} : { data_quality: this.#one(spec.data_quality) }),
      ...(spec.slo === undefined ? {} : { slo: this.#one(spec.slo) }),
    };
  }

  #one<T extends object>(part: T): T {
    const text = JSON.stringify(part);
    const known = this.#known.get(text);
    // Equal texts are equal parts: the key holds everything that the type is made of.
    if (known !== undefined) return known as T;
    const [oldest] = this.#known.keys();
    if (this.#known.size >= SHARED_PARTS_LIMITS.parts && oldest !== undefined) this.#known.delete(oldest);
    this.#known.set(text, part);
    return part;
  }
}
