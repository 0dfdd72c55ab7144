package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"runtime/debug"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/poolgen/poolgen/generator"
)

// command is a command line that has been understood.
type command struct {
	verb     string // generate, packages, check, explain, init, help or version
	topic    string // of help; "" for all
	requests []generator.Request
	patterns []string // of packages
	json     bool     // for check and explain
}

const help = `poolgen writes a connection pool for a type of yours, into the package of the type.

	poolgen -type=MyConn [flags]    generate the pool of MyConn, in the current folder's package
	poolgen [packages]              generate what the //go:generate lines in these packages say, at
	                                once and not in a process each; packages as for go list, such
	                                as ./...
	poolgen check [-json] [packages]
	                                compare all generated pools with what poolgen would write now,
	                                print what is wrong with a patch that mends it, write nothing;
	                                by default in ./...
	poolgen explain -type=MyConn [flags] [-json]
	                                tell what each hook resolves to and why, what was passed over,
	                                what the pool has, and what the compiler inlines; writes nothing
	poolgen init -type=MyConn       write a declaration to start from, in myconn.go
	poolgen init -for=pgx.Conn [flags]
	                                write what it takes to pool the type of another package: the
	                                hooks are proposed from its methods and constructors
	poolgen help                    print this
	poolgen help features           list the feature groups
	poolgen version                 print the version

In a Go file, and then go generate:

	//go:generate go tool poolgen -type=MyConn

Flags:

	-type=T          the connection type; several: -type=A,B
	-size=N          make the number of places a constant of the code
	-output=FILE     the file to write; by default the type's name in lower case and _pool.go
	-prefix=P        how the generated names begin; by default with the type's name
	-with=G,...      feature groups to add to the default set; -with=none,G starts from the bare
	                 core, -with=all from everything
	-without=G,...   feature groups to leave out

	-observer=T      a type whose methods are called when something happens: Created, CreateFailed,
	                 Acquired, AcquireFailed, Released, Retired, CheckFailed; those that it lacks
	                 are not
	-keyed=K         generate a set of pools, too: one for each key of type K, bounded in total

	-create=F        the function or method that creates a connection; by default NewT, DialT,
	                 OpenT, ConnectT or CreateT (T is the type; or newT and so on), or the method
	                 Create, which fills its receiver
	-needs-check=F   ... that tells whether a health check is due; by default NeedsHealthCheck
	-check=F         ... that checks the health; by default HealthCheck or else Ping
	-close=F         ... that closes; by default Close
	-reset=F         ... that resets a connection on release; by default Reset
	-broken=F        ... that tells on release that a connection is broken; by default Broken or
	                 else IsClosed
	-after-create=F, -before-acquire=F, -after-release=F, -before-close=F
	                 ... that is called then; by default AfterCreate and so on
	-is-fatal=F      ... that tells which errors of a connection's use are fatal for it; by default
	                 IsFatal

F is a method of the type, a method of the pool context, or a function that takes the connection; none
switches a hook off. A comment //poolgen:create (or :close and so on) above the function does the same.

poolgen check finds generated files that are

	stale      not what poolgen would write now
	edited     and not formatted, in conflict or broken, as poolgen writes none
	missing    wanted by a //go:generate line, and not there
	orphaned   left over: the type or the //go:generate line is gone, or such a line makes its pool in another file
	failed     not to be generated, or checked, for a reason that is given
	excluded   kept out of this build by constraints, and so not to be checked: nothing wrong
	current    fine

A file without a //go:generate line is checked with the flags in its header. With -json, each file is a
line of output, in the order of packages and files: an object of the strings file, package, type, status,
message and diff. They are empty where there is nothing to say.

Exit codes: 0 fine, 1 something is wrong with the package or a pool is out of date, 2 wrong usage.
`

// parse understands a command line.
func parse(args []string) (command, error) {
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		switch verb := args[0]; verb {
		case "help":
			return parseHelp(args[1:])
		case "version":
			return command{verb: verb}, nil
		case "check":
			return parseCheck(args[1:])
		case "explain":
			return parseExplain(args[1:])
		case "init":
			return parseInit(args[1:])
		default:
			if !isPattern(verb) {
				return command{}, fmt.Errorf("unknown command %q: want check, explain, init, help, version, flags or packages (./...)", verb)
			}
			return parsePackages(args)
		}
	}
	return parseGenerate(args)
}

// features is the topic of help that lists the feature groups.
const features = "features"

// parseHelp understands the arguments of help.
func parseHelp(topics []string) (command, error) {
	switch {
	case len(topics) == 0:
		return command{verb: "help"}, nil
	case len(topics) > 1 || topics[0] != features:
		return command{}, fmt.Errorf("no help on %q: want nothing or %s", strings.Join(topics, " "), features)
	}
	return command{verb: "help", topic: features}, nil
}

// featureTable lists the feature groups.
func featureTable() string {
	var b strings.Builder
	b.WriteString("What a pool may have or not, by -with=G,... and -without=G,... (* is in the default set):\n\n")
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, g := range generator.Groups {
		mark := " "
		if g.Default {
			mark = "*"
		}
		fmt.Fprintf(w, "\t%s %s\t%s\n", mark, g.Name, strings.Join(append([]string{g.Adds}, conditions(g)...), "; "))
	}
	_ = w.Flush() // to memory
	b.WriteString("\n-with=none starts from the bare core, as in -with=none,warm; -with=all is everything.\n")
	return b.String()
}

// conditions are what a feature group depends on, in words.
func conditions(g generator.Group) []string {
	var list []string
	if len(g.Needs) > 0 {
		list = append(list, "needs "+strings.Join(g.Needs, ", "))
	}
	if len(g.Hooks) > 0 {
		var hooks []string
		for _, kind := range g.Hooks {
			hooks = append(hooks, string(kind))
		}
		list = append(list, "only where the type has "+strings.Join(hooks, " or "))
	}
	if g.Moot != "" {
		list = append(list, "not where "+g.Moot)
	}
	return list
}

// isPattern reports whether an argument is a pattern of packages, and not the name of a command.
func isPattern(arg string) bool { return strings.HasPrefix(arg, ".") || strings.ContainsAny(arg, `/\`) }

// parsePackages understands patterns in the place of flags.
func parsePackages(patterns []string) (command, error) {
	for _, pattern := range patterns {
		if strings.HasPrefix(pattern, "-") {
			return command{}, fmt.Errorf("%s does not go with packages, for which the //go:generate lines say what is wanted", pattern)
		}
	}
	return command{verb: "packages", patterns: patterns}, nil
}

// parseCheck understands the arguments of check.
func parseCheck(args []string) (command, error) {
	c := command{verb: "check"}
	for _, arg := range args {
		switch {
		case arg == "-json" || arg == "--json":
			c.json = true
		case strings.HasPrefix(arg, "-"):
			return command{}, fmt.Errorf("check takes packages and -json, not the flag %s", arg)
		default:
			c.patterns = append(c.patterns, arg)
		}
	}
	if len(c.patterns) == 0 {
		c.patterns = []string{"./..."}
	}
	return c, nil
}

// requests understands the arguments of a directive: what it generates, or nothing.
func requests(args []string) ([]generator.Request, error) {
	c, err := parse(args)
	return c.requests, err
}

// parseGenerate understands the flags of generate.
func parseGenerate(args []string) (command, error) {
	var types string
	var with, without []string
	request := generator.Request{Hooks: map[generator.Kind]string{}}
	flags := flag.NewFlagSet("poolgen", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&types, "type", "", "")
	flags.StringVar(&request.Prefix, "prefix", "", "")
	flags.Func("output", "", func(name string) error {
		request.Output = strings.ReplaceAll(name, `\`, "/") // as a directive has it that is written on Windows
		return nil
	})
	flags.StringVar(&request.Observer, "observer", "", "")
	flags.StringVar(&request.Keyed, "keyed", "", "")
	flags.Func("size", "", func(s string) (err error) {
		request.Size, err = parseSize(s)
		return err
	})
	flags.Func("with", "", list(&with))
	flags.Func("without", "", list(&without))
	for _, kind := range generator.Kinds {
		flags.Func(string(kind), "", func(name string) error {
			if name == "" {
				return errors.New("it needs a name, or none")
			}
			request.Hooks[kind] = name
			return nil
		})
	}
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return command{verb: "help"}, nil
	case err != nil:
		return command{}, err
	case flags.NArg() > 0:
		return command{}, fmt.Errorf("unexpected argument %q: flags come as -name=value", flags.Arg(0))
	case types == "":
		return command{}, errors.New("-type is missing: name the connection type, as in -type=MyConn")
	}
	choice, err := generator.Groups.Choose(with, without)
	if err != nil {
		return command{}, err
	}
	request.Groups = choice
	return split(request, generator.SplitNames(types))
}

// list appends the names of a flag's value.
func list(names *[]string) func(string) error {
	return func(value string) error {
		for name := range strings.SplitSeq(value, ",") {
			*names = append(*names, strings.TrimSpace(name))
		}
		return nil
	}
}

func parseSize(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		return 0, errors.New("the size must be a number of places, 1 or more")
	}
	return n, nil
}

// split makes a request for each type.
func split(request generator.Request, types []string) (command, error) {
	c := command{verb: "generate"}
	if len(types) > 1 && (request.Output != "" || request.Prefix != "") {
		return c, errors.New("-output and -prefix go with one type: run poolgen once for each")
	}
	for _, name := range types {
		typ, err := generator.ParseType(name)
		if err != nil {
			return c, err
		}
		request.Type = typ
		if err := request.Validate(); err != nil {
			return c, err
		}
		c.requests = append(c.requests, request)
	}
	return c, nil
}

// version is what the build info says.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "poolgen (unknown version)"
	}
	version := "poolgen " + info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			version += " " + s.Value
		}
	}
	return version + " " + info.GoVersion
}
