export declare const PACKAGE_GRAPH: Readonly<Record<string, readonly string[]>>;
