// Apidiff fails when a module does not offer everything that groupcache-go v3 offers, under the same names and with the
// same types. What the module offers beyond that is listed with -v.
//
//	apidiff <folder of groupcache-go> <folder of the module>
//
// It reads what the compiler exports of every package, so it sees exactly what a program sees.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// The packages that a program can import.
var packages = []string{"", "/transport", "/transport/peer", "/transport/pb", "/transport/pb/testpb", "/cluster", "/contrib"}

func main() {
	verbose := flag.Bool("v", false, "list what the module has of its own")
	flag.Parse()
	if flag.NArg() != 2 {
		fmt.Fprintln(os.Stderr, "usage: apidiff [-v] <folder of groupcache-go> <folder of the module>")
		os.Exit(2)
	}
	theirs, ours := surface(flag.Arg(0)), surface(flag.Arg(1))
	missing := 0
	for _, name := range sorted(theirs) {
		switch {
		case ours[name] == "":
			fmt.Printf("missing    %s: %s\n", name, theirs[name])
			missing++
		case ours[name] != theirs[name]:
			fmt.Printf("different  %s: %s, here %s\n", name, theirs[name], ours[name])
			missing++
		}
	}
	own := 0
	for _, name := range sorted(ours) {
		if theirs[name] == "" {
			own++
			if *verbose {
				fmt.Printf("own        %s: %s\n", name, ours[name])
			}
		}
	}
	fmt.Printf("%d names of groupcache-go, %d of them missing or different, %d names beyond them\n", len(theirs), missing, own)
	if missing > 0 || len(theirs) < 100 {
		os.Exit(1)
	}
}

func sorted(m map[string]string) []string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// surface maps each exported name of a module to what it is.
func surface(folder string) map[string]string {
	module := strings.TrimSpace(goCommand(folder, "list", "-m"))
	exports := make(map[string]string)
	decoder := json.NewDecoder(strings.NewReader(goCommand(folder, "list", "-deps", "-export", "-json=ImportPath,Export", "./...")))
	for {
		var p struct{ ImportPath, Export string }
		if err := decoder.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			fatal(err)
		}
		exports[p.ImportPath] = p.Export
	}
	from := importer.ForCompiler(token.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
	s := &lister{module: module, names: make(map[string]string)}
	for _, path := range packages {
		p, err := from.Import(module + path)
		if err != nil {
			fatal(err)
		}
		s.list("groupcache"+path+".", p.Scope())
	}
	return s.names
}

func goCommand(folder string, args ...string) string {
	cmd := exec.Command("go", args...)
	cmd.Dir = folder
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		fatal(fmt.Errorf("go %s in %s: %w", strings.Join(args, " "), folder, err))
	}
	return string(out)
}

func fatal(err error) {
	fmt.Fprintln(os.Stderr, "apidiff:", err)
	os.Exit(1)
}

type lister struct {
	module string
	names  map[string]string
}

func (l *lister) list(prefix string, scope *types.Scope) {
	for _, name := range scope.Names() {
		o := scope.Lookup(name)
		if !o.Exported() {
			continue
		}
		switch o := o.(type) {
		case *types.Const:
			l.names[prefix+name] = "const " + l.text(o.Type()) + " = " + o.Val().ExactString()
		case *types.Var:
			l.names[prefix+name] = "var " + l.text(o.Type())
		case *types.Func:
			l.names[prefix+name] = l.text(o.Type())
		case *types.TypeName:
			l.listType(prefix+name, o)
		}
	}
}

func (l *lister) listType(name string, o *types.TypeName) {
	switch under := o.Type().Underlying().(type) {
	case *types.Struct:
		l.names[name] = "struct"
		for i := range under.NumFields() {
			if f := under.Field(i); f.Exported() {
				l.names[name+"."+f.Name()] = fmt.Sprintf("field %s %q", l.text(f.Type()), under.Tag(i))
			}
		}
	case *types.Interface:
		l.names[name] = "interface"
	default:
		l.names[name] = "type " + l.text(under)
	}
	if o.IsAlias() {
		l.names[name] += ", an alias"
		return
	}
	methods := types.NewMethodSet(types.NewPointer(o.Type()))
	if types.IsInterface(o.Type()) {
		methods = types.NewMethodSet(o.Type())
	}
	onValue := types.NewMethodSet(o.Type())
	for i := range methods.Len() {
		m := methods.At(i).Obj()
		if !m.Exported() {
			continue
		}
		kind := "method of the pointer "
		if onValue.Lookup(m.Pkg(), m.Name()) != nil {
			kind = "method "
		}
		l.names[name+"."+m.Name()] = kind + l.text(m.Type())
	}
}

// text writes a type without the names of parameters and without the module's own path.
func (l *lister) text(t types.Type) string {
	return types.TypeString(nameless(t), func(p *types.Package) string {
		if rest, ok := strings.CutPrefix(p.Path(), l.module); ok {
			return "groupcache" + rest
		}
		return p.Path()
	})
}

func nameless(t types.Type) types.Type {
	switch t := t.(type) {
	case *types.Pointer:
		return types.NewPointer(nameless(t.Elem()))
	case *types.Slice:
		return types.NewSlice(nameless(t.Elem()))
	case *types.Map:
		return types.NewMap(nameless(t.Key()), nameless(t.Elem()))
	case *types.Chan:
		return types.NewChan(t.Dir(), nameless(t.Elem()))
	case *types.Signature:
		return types.NewSignatureType(nil, nil, nil, namelessTuple(t.Params()), namelessTuple(t.Results()), t.Variadic())
	}
	return t
}

func namelessTuple(t *types.Tuple) *types.Tuple {
	vars := make([]*types.Var, t.Len())
	for i := range vars {
		vars[i] = types.NewVar(token.NoPos, nil, "", nameless(t.At(i).Type()))
	}
	return types.NewTuple(vars...)
}
