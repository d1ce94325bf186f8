// Checks a log directory with code that nobody here wrote: golang.org/x/mod's note and tlog packages.
// Usage: foreign DIRECTORY VKEY [INDEX PROOF_LEAF]; prints one line of JSON, exits 1 on the first disagreement.
package main

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func must[T any](value T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, "foreign checker:", err)
		os.Exit(1)
	}
	return value
}

// directory serves tiles in the standard layout; the Go path carries the tile height, which the standard fixes at 8.
type directory string

func (d directory) Height() int                                { return 8 }
func (d directory) SaveTiles(tiles []tlog.Tile, data [][]byte) {}
func (d directory) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		path := "tile/" + strings.TrimPrefix(tile.Path(), "tile/8/")
		data, err := os.ReadFile(filepath.Join(string(d), path))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

// entries reads one bundle: each entry behind a 16-bit length.
func (d directory) entries(index, width int64) ([][]byte, error) {
	tile := tlog.Tile{H: 8, L: 0, N: index, W: int(width)}
	path := "tile/entries/" + strings.TrimPrefix(tile.Path(), "tile/8/0/")
	data, err := os.ReadFile(filepath.Join(string(d), path))
	var all [][]byte
	for err == nil && len(data) > 0 {
		if len(data) < 2 || len(data) < 2+int(binary.BigEndian.Uint16(data)) {
			return nil, fmt.Errorf("%s is cut off", path)
		}
		end := 2 + int(binary.BigEndian.Uint16(data))
		all, data = append(all, data[2:end]), data[end:]
	}
	if err == nil && int64(len(all)) != width {
		err = fmt.Errorf("%s holds %d entries, not %d", path, len(all), width)
	}
	return all, err
}

func main() {
	dir := directory(os.Args[1])
	verifier := must(note.NewVerifier(os.Args[2]))
	signed := must(note.Open(must(os.ReadFile(filepath.Join(os.Args[1], "checkpoint"))), note.VerifierList(verifier)))
	var origin, root string
	var size int64
	must(fmt.Sscanf(signed.Text, "%s\n%d\n%s\n", &origin, &size, &root))
	hash := must(tlog.ParseHash(root))
	reader := tlog.TileHashReader(tlog.Tree{N: size, Hash: hash}, dir)
	if tree := must(tlog.TreeHash(size, reader)); tree != hash {
		must(0, fmt.Errorf("the tiles give another root"))
	}
	var checked int64
	for index := int64(0); index*256 < size; index++ {
		bundle := must(dir.entries(index, min(256, size-index*256)))
		for i, entry := range bundle {
			at := index*256 + int64(i)
			proof := must(tlog.ProveRecord(size, at, reader))
			if err := tlog.CheckRecord(proof, size, hash, at, tlog.RecordHash(entry)); err != nil {
				must(0, fmt.Errorf("entry %d: %w", at, err))
			}
			checked++
		}
	}
	must(os.Stdout.Write(append(must(json.Marshal(map[string]any{"origin": origin, "size": size, "checked": checked})), '\n')))
}
