# Sourced by the scripts that run JMH benchmarks, after common.sh.

# compile_benchmarks NAME JAR FOLDER...: compiles the engine with its tests, then the benchmarks in engine/src/FOLDER once
# more, into engine/target/NAME, by JMH's annotation processor, which writes the code around each; JAR is one more for
# the class path, or empty. Sets JAVA_HOME and classpath.
compile_benchmarks() {
    local name="$1" jar="$2" target="$repo/engine/target" folder sources=()
    shift 2
    local plugin=org.apache.maven.plugins:maven-dependency-plugin:3.8.1
    JAVA_HOME="$("$repo/tools/find-jdk.sh")"
    export JAVA_HOME
    "$repo/tools/build-engine.sh" test-compile "$plugin:build-classpath" -Dmdep.outputFile="$target/jmh.classpath" \
        -Dmdep.includeScope=test
    classpath="$target/classes:$(<"$target/jmh.classpath")${jar:+:$jar}"
    rm -rf "${target:?}/$name"
    mkdir -p "$target/$name"
    for folder in "$@"; do
        mapfile -t -O "${#sources[@]}" sources < <(find "$repo/engine/src/$folder/java" -name '*.java')
    done
    "$JAVA_HOME/bin/javac" -proc:full -nowarn -d "$target/$name" -cp "$classpath" "${sources[@]}"
    classpath="$target/$name:$classpath"
    say "JMH on $("$JAVA_HOME/bin/java" -version 2>&1 | head -n 1)"
}
