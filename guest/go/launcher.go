// The launcher is the first process of a Go worker: it binds the HTTP socket and waits for the claim while no
// byte of user code has run, then becomes the function's own executable, which inherits the socket.
package main

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"os"
	"syscall"
	"time"
)

const (
	controlFd    = 3
	listenerFd   = 10 // function.go.txt serves on it
	forwarderArg = "forward-egress"
	function     = "/app/function"
)

type claim struct {
	Entrypoint string `json:"entrypoint"`
	Egress     bool   `json:"egress"`
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == forwarderArg {
		forwardEgress()
		return
	}
	control := os.NewFile(controlFd, "control")
	if err := launch(control); err != nil {
		_ = json.NewEncoder(control).Encode(map[string]string{"t": "failed", "message": err.Error()})
		os.Exit(1)
	}
}

func launch(control *os.File) error {
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: "/run/fn/http.sock", Net: "unix"})
	if err != nil {
		return err
	}
	if _, err := io.WriteString(control, "{\"t\":\"up\"}\n"); err != nil {
		return err
	}
	line, err := bufio.NewReader(control).ReadBytes('\n')
	if err != nil {
		return err
	}
	var claimed claim
	if err := json.Unmarshal(line, &claimed); err != nil {
		return err
	}
	env := append(os.Environ(), "FUNCTION_TARGET="+claimed.Entrypoint)
	if claimed.Egress {
		if err := startForwarder(); err != nil {
			return err
		}
		for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"} {
			env = append(env, name+"=http://127.0.0.1:3128")
		}
	}
	socket, err := listener.File()
	if err != nil {
		return err
	}
	if err := syscall.Dup3(int(socket.Fd()), listenerFd, 0); err != nil {
		return err
	}
	return become(env)
}

// become replaces this process by the function. The kernel refuses to run a file that anyone holds open for
// writing; a process that the host forks at this moment may hold it for an instant, so that is tried again.
func become(env []string) error {
	for attempt := 0; ; attempt++ {
		err := syscall.Exec(function, []string{function}, env)
		if err != syscall.ETXTBSY || attempt == 200 {
			return &os.PathError{Op: "exec", Path: function, Err: err}
		}
		time.Sleep(time.Millisecond)
	}
}

// startForwarder listens before it starts the forwarding process, so that no early connection is refused.
func startForwarder() error {
	listener, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 3128})
	if err != nil {
		return err
	}
	socket, err := listener.File()
	if err != nil {
		return err
	}
	// The executable is opened by its descriptor's path: the only name that surely exists in the jail.
	_, err = os.StartProcess("/proc/self/exe", []string{"launcher", forwarderArg}, &os.ProcAttr{
		Env:   []string{},
		Files: []*os.File{nil, nil, nil, socket},
	})
	return err
}

// forwardEgress joins each TCP connection to the host's egress proxy, which decides what it may reach.
func forwardEgress() {
	listener, err := net.FileListener(os.NewFile(3, "listener"))
	if err != nil {
		os.Exit(1)
	}
	for {
		client, err := listener.Accept()
		if err != nil {
			os.Exit(1)
		}
		go join(client.(*net.TCPConn))
	}
}

func join(client *net.TCPConn) {
	defer client.Close()
	proxy, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: "/run/fn/egress.sock", Net: "unix"})
	if err != nil {
		return
	}
	defer proxy.Close()
	sent := make(chan struct{})
	go func() {
		_, _ = io.Copy(proxy, client)
		_ = proxy.CloseWrite()
		close(sent)
	}()
	_, _ = io.Copy(client, proxy)
	_ = client.CloseWrite()
	<-sent
}
