// Package greeter answers with a greeting for the name in the query.
package greeter

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/GoogleCloudPlatform/functions-framework-go/functions"
)

func init() {
	functions.HTTP("Example", greet)
}

type greeting struct {
	Greeting string `json:"greeting"`
}

func greet(w http.ResponseWriter, r *http.Request) {
	name := r.URL.Query().Get("name")
	if name == "" {
		http.Error(w, "query parameter name is required", http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(greeting{Greeting: fmt.Sprintf("hello, %s!", name)})
}
